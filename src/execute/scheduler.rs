//! Runs steps on worker threads, each as soon as what it waits for is done. Knows nothing of nodes or warehouses.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Condvar, Mutex, PoisonError};

/// Steps by position, with the positions each one waits for. Must be acyclic.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    pub waits_for: Vec<Vec<usize>>,
}

struct State {
    /// Lowest position first: the plan's own order.
    ready: BinaryHeap<Reverse<usize>>,
    missing: Vec<usize>,
    left: usize,
}

/// Calls `work(worker, position)` once for each position, on at most `threads` threads at a time, never before all that
/// it waits for has returned. `make_worker(number)` gives each thread what it keeps (a connection). Returns when all is done.
pub fn run<W>(schedule: &Schedule, threads: usize, make_worker: impl Fn(usize) -> W + Sync, work: impl Fn(&mut W, usize) + Sync) {
    let count = schedule.waits_for.len();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (position, parents) in schedule.waits_for.iter().enumerate() {
        for parent in parents {
            children[*parent].push(position);
        }
    }
    let missing: Vec<usize> = schedule.waits_for.iter().map(Vec::len).collect();
    let ready = missing.iter().enumerate().filter(|(_, missing)| **missing == 0).map(|(position, _)| Reverse(position)).collect();
    let state = Mutex::new(State { ready, missing, left: count });
    let changed = Condvar::new();
    let threads = threads.clamp(1, count.max(1));
    std::thread::scope(|scope| {
        for number in 0..threads {
            let (state, changed, children, work, make_worker) = (&state, &changed, &children, &work, &make_worker);
            let body = move || {
                let mut worker = make_worker(number);
                while let Some(position) = next(state, changed) {
                    // Whatever happens in there, the children must not wait for ever.
                    let done = Finish { state, changed, children: &children[position] };
                    work(&mut worker, position);
                    drop(done);
                }
            };
            let named = std::thread::Builder::new().name(format!("Thread-{} (worker)", number + 1)).stack_size(64 << 20);
            named.spawn_scoped(scope, body).map_or_else(
                |error| {
                    // Without threads of our own, the first one does it all; a later one is not missed.
                    assert!(number != 0, "no thread can be started: {error}");
                },
                drop,
            );
        }
    });
}

/// The next position to do, or None when everything is done.
fn next(state: &Mutex<State>, changed: &Condvar) -> Option<usize> {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(Reverse(position)) = state.ready.pop() {
            return Some(position);
        }
        if state.left == 0 {
            return None;
        }
        state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

struct Finish<'a> {
    state: &'a Mutex<State>,
    changed: &'a Condvar,
    children: &'a [usize],
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.left -= 1;
        for child in self.children {
            state.missing[*child] -= 1;
            if state.missing[*child] == 0 {
                state.ready.push(Reverse(*child));
            }
        }
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(schedule: &Schedule, threads: usize) -> Vec<usize> {
        let done = Mutex::new(Vec::new());
        run(schedule, threads, |_| (), |(), position| done.lock().unwrap().push(position));
        done.into_inner().unwrap()
    }

    #[test]
    fn one_thread_keeps_the_plans_order() {
        let schedule = Schedule { waits_for: vec![vec![], vec![0], vec![], vec![1, 2]] };
        assert_eq!(order(&schedule, 1), [0, 1, 2, 3]);
    }

    #[test]
    fn nothing_starts_before_its_parents() {
        let schedule = Schedule { waits_for: (0..200).map(|n| if n < 10 { vec![] } else { vec![n - 10, n - 7] }).collect() };
        let done = order(&schedule, 8);
        let place = |n: usize| done.iter().position(|other| *other == n).unwrap();
        assert_eq!(done.len(), 200);
        for (child, parents) in schedule.waits_for.iter().enumerate() {
            assert!(parents.iter().all(|parent| place(*parent) < place(child)));
        }
    }

    #[test]
    fn no_steps_is_no_work() {
        assert!(order(&Schedule::default(), 4).is_empty());
    }
}
