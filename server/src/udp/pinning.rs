//! Keeps workers on cores of their own: a thread that moves leaves its caches behind.

/// The cores that this process may run on.
#[must_use]
pub fn cores() -> Vec<usize> {
    #[cfg(target_os = "linux")]
    {
        let allowed = rustix::thread::sched_getaffinity(None);
        let is_allowed = |core: &usize| allowed.as_ref().is_ok_and(|allowed| allowed.is_set(*core));
        (0..rustix::thread::CpuSet::MAX_CPU).filter(is_allowed).collect()
    }
    #[cfg(not(target_os = "linux"))]
    Vec::new()
}

/// Has this thread stay on one core. If it may not, it runs wherever it is put.
pub(super) fn stay_on(core: usize) {
    #[cfg(target_os = "linux")]
    {
        let mut only = rustix::thread::CpuSet::new();
        only.set(core);
        let _ = rustix::thread::sched_setaffinity(None, &only);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = core;
}
