//! What is timed, each by its name.

use std::hint::black_box;

#[derive(Default)]
pub(crate) struct Cases(pub(crate) Vec<Case>);

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) run: Box<dyn FnMut()>,
}

impl Cases {
    pub(crate) fn add<R>(&mut self, name: impl Into<String>, mut case: impl FnMut() -> R + 'static) {
        let run = Box::new(move || {
            black_box(case());
        });
        self.0.push(Case { name: name.into(), run });
    }
}

/// Shows one after the other, and after the last the first once more.
pub(crate) fn in_turn<T, R>(all: Vec<T>, mut show: impl FnMut(&T) -> R) -> impl FnMut() -> R {
    let mut next = 0;
    move || {
        let one = all.get(next).unwrap();
        next = if next + 1 == all.len() { 0 } else { next + 1 };
        show(black_box(one))
    }
}
