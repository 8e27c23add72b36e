/// Whether the peer has closed its half of `stream`, or all of it, whatever is still to be read.
///
/// Nothing is read. Where the operating system tells only of a connection that is closed both ways, so does this.
#[cfg(unix)]
pub fn has_left(stream: &impl std::os::fd::AsFd) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    #[cfg(target_os = "linux")]
    const GONE: PollFlags = PollFlags::RDHUP.union(PollFlags::HUP).union(PollFlags::ERR);
    #[cfg(not(target_os = "linux"))]
    const GONE: PollFlags = PollFlags::HUP.union(PollFlags::ERR);

    let mut polled = [PollFd::new(stream, GONE)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut polled, Some(&at_once)).is_ok() && polled.iter().any(|it| it.revents().intersects(GONE))
}

/// It cannot be told here.
#[cfg(not(unix))]
pub fn has_left<S>(_: &S) -> bool {
    false
}
