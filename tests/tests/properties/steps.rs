//! Every visit ends, and this is how long the longest one is. That none is longer, all other properties check.

use authgate_core::Reason;
use authgate_tests::case::{
    Answers, At, Backend, Config, Kept, Loaded, MOST_STEPS, News, Person, Request, Told, run, secret,
};
use authgate_tests::world::NOW;

fn news(more: bool) -> At<Told<News>> {
    let now = NOW.as_millis();
    At::new(now, Ok(News { ended: Vec::new(), more, floor: i64::MIN, now }))
}

/// Somebody signs in with ten old sessions, at a store that has much to tell and that everybody is changing.
#[test]
fn the_longest_visit_has_as_many_steps_as_is_stated() {
    let config = Config { backends: vec![Backend::People], shared: Some(500), ..Config::default() };
    let cookies: Vec<_> = (0..10).map(|number| format!("authgate={}", secret(number))).collect();
    let request = Request::sign_in().with("cookie", cookies.join("; "));
    let at = NOW.as_millis();
    let kept = Kept {
        number: 0,
        person: Person::new("ada"),
        credential: None,
        issued: at - 1,
        renewed: at - 1,
        until: at + 60_000,
        ends: at + 600_000,
    };
    let all_of_it: Vec<_> = (1..=200).map(|number| news(number < 200)).collect();
    let mut swap = vec![At::new(at, Ok(false)); 7];
    swap.extend([At::new(at, Ok(true)), At::new(at, Ok(false))]);
    let answers = Answers {
        password: At::new(at, Ok(Some((Person::new("ada"), None)))),
        load: At::new(at, Ok(Some(Loaded { kept, asked_for: true }))),
        news: all_of_it.iter().chain(&all_of_it).cloned().collect(),
        swap,
        ..Answers::still(NOW)
    };
    let run = run(&config.build(NOW), &request, &answers);
    assert_eq!(run.decision.event().reason, Reason::SignIn);
    assert_eq!(run.asked.len(), MOST_STEPS, "{:?}", run.asked);
}
