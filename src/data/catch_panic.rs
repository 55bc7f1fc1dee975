//! Work that may panic and must not be heard of: decoders of other people, on files of other people.

use std::cell::Cell;
use std::panic::{self, PanicHookInfo, UnwindSafe};
use std::sync::Once;

thread_local! {
    /// True while a panic of this thread is expected, and will be told as an error of ours.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

type Hook = Box<dyn Fn(&PanicHookInfo) + Sync + Send + 'static>;

/// Runs `work`, and returns `None` if it panicked. The panic's own message reaches nobody, as the caller has
/// a better one: a hook that is put before the process's own at the first call is silent while this thread is
/// in here, and hands over all other panics.
pub fn catch_panic<T>(work: impl FnOnce() -> T + UnwindSafe) -> Option<T> {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| panic::set_hook(quiet_where_expected(panic::take_hook())));

    let before = EXPECTED.replace(true);
    let outcome = panic::catch_unwind(work);
    EXPECTED.set(before);
    outcome.ok()
}

/// Returns a hook that tells `other` of all panics but the expected ones.
fn quiet_where_expected(other: Hook) -> Hook {
    Box::new(move |info| {
        // Where the thread is so far gone that there is no telling, the panic is told.
        if !EXPECTED.try_with(Cell::get).unwrap_or(false) {
            other(info);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_caught_panic_is_silent_and_the_next_one_outside_is_not() {
        // The first call installs the hook, so that below it is the test's own that stays.
        assert_eq!(catch_panic(|| 1), Some(1));
        let heard = Arc::new(AtomicUsize::new(0));
        let here = std::thread::current().id();
        let counter = {
            let heard = Arc::clone(&heard);
            // Other tests may fail at the same time; theirs are not counted.
            move |_: &PanicHookInfo| {
                heard.fetch_add(usize::from(std::thread::current().id() == here), Ordering::SeqCst);
            }
        };
        let before = panic::take_hook();
        panic::set_hook(quiet_where_expected(Box::new(counter)));
        assert_eq!(catch_panic(|| catch_panic(|| panic!("inner")).or_else(|| panic!("outer"))), None::<Option<()>>);
        assert_eq!(heard.load(Ordering::SeqCst), 0);
        assert!(panic::catch_unwind(|| panic!("outside")).is_err());
        assert_eq!(heard.load(Ordering::SeqCst), 1);
        panic::set_hook(before);
    }
}
