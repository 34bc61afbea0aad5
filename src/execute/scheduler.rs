//! Runs steps on worker threads, each as soon as what it waits for is done. Knows nothing of nodes or warehouses.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Steps by position, with the positions each one waits for. Must be acyclic.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    pub waits_for: Vec<Vec<usize>>,
}

/// What a worker does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task<P> {
    /// The step at a position.
    Step(usize),
    /// A part of a step that is running: see [`Pool::share`].
    Part(P),
}

/// What the workers of one run share.
pub struct Pool<P> {
    state: Mutex<State<P>>,
    changed: Condvar,
}

struct State<P> {
    /// Lowest position first: the plan's own order.
    ready: BinaryHeap<Reverse<usize>>,
    parts: VecDeque<P>,
    missing: Vec<usize>,
    left: usize,
}

impl<P> Pool<P> {
    fn lock(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives parts of a running step away: workers without work take them before they begin another step. Whoever shares
    /// takes parts as well ([`Pool::part`]) until none is left, and then waits for those that others took.
    pub fn share(&self, parts: impl IntoIterator<Item = P>) {
        self.lock().parts.extend(parts);
        self.changed.notify_all();
    }

    /// A part that nobody has begun.
    pub fn part(&self) -> Option<P> {
        self.lock().parts.pop_front()
    }

    /// The next thing to do, or None when everything is done.
    fn next(&self) -> Option<Task<P>> {
        let mut state = self.lock();
        loop {
            if let Some(part) = state.parts.pop_front() {
                return Some(Task::Part(part));
            }
            if let Some(Reverse(position)) = state.ready.pop() {
                return Some(Task::Step(position));
            }
            if state.left == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Calls `work(pool, worker, task)` once for each position, on at most `threads` threads at a time, never before all that
/// it waits for has returned. `make_worker(number)` gives each thread what it keeps (a connection). Returns when all is done.
pub fn run<W, P: Send>(
    schedule: &Schedule,
    threads: usize,
    make_worker: impl Fn(usize) -> W + Sync,
    work: impl Fn(&Pool<P>, &mut W, Task<P>) + Sync,
) {
    let count = schedule.waits_for.len();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (position, parents) in schedule.waits_for.iter().enumerate() {
        for parent in parents {
            children[*parent].push(position);
        }
    }
    let missing: Vec<usize> = schedule.waits_for.iter().map(Vec::len).collect();
    let ready = missing.iter().enumerate().filter(|(_, missing)| **missing == 0).map(|(position, _)| Reverse(position)).collect();
    let pool = Pool { state: Mutex::new(State { ready, parts: VecDeque::new(), missing, left: count }), changed: Condvar::new() };
    std::thread::scope(|scope| {
        for number in 0..threads.max(1) {
            let (pool, children, work, make_worker) = (&pool, &children, &work, &make_worker);
            let body = move || {
                let mut worker = make_worker(number);
                while let Some(task) = pool.next() {
                    // Whatever happens in there, the children must not wait for ever.
                    let done = match &task {
                        Task::Step(position) => Some(Finish { pool, children: &children[*position] }),
                        Task::Part(_) => None,
                    };
                    work(pool, &mut worker, task);
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

struct Finish<'a, P> {
    pool: &'a Pool<P>,
    children: &'a [usize],
}

impl<P> Drop for Finish<'_, P> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.left -= 1;
        for child in self.children {
            state.missing[*child] -= 1;
            if state.missing[*child] == 0 {
                state.ready.push(Reverse(*child));
            }
        }
        self.pool.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(schedule: &Schedule, threads: usize) -> Vec<usize> {
        let done = Mutex::new(Vec::new());
        let work = |_: &Pool<()>, (): &mut (), task| {
            if let Task::Step(position) = task {
                done.lock().unwrap().push(position);
            }
        };
        run(schedule, threads, |_| (), work);
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
    fn parts_of_a_step_are_done_by_whoever_is_free() {
        let done = Mutex::new(Vec::new());
        let work = |pool: &Pool<usize>, (): &mut (), task| match task {
            Task::Step(_) => {
                pool.share(0..50);
                while let Some(part) = pool.part() {
                    done.lock().unwrap().push(part);
                }
            }
            Task::Part(part) => done.lock().unwrap().push(part),
        };
        run(&Schedule { waits_for: vec![vec![]] }, 4, |_| (), work);
        let mut done = done.into_inner().unwrap();
        done.sort_unstable();
        assert_eq!(done, (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn no_steps_is_no_work() {
        assert!(order(&Schedule::default(), 4).is_empty());
    }
}
