//! A thread pool, if the program is built with the feature `threads`.

#[cfg(feature = "threads")]
mod real {
    use rayon::prelude::*;
    use rayon::{ThreadPool, ThreadPoolBuilder};

    /// Threads that wait for work.
    pub struct Pool(ThreadPool);

    impl Pool {
        /// A pool of this many threads; none if the system refuses.
        pub fn of(threads: usize) -> Option<Self> {
            ThreadPoolBuilder::new().num_threads(threads).build().ok().map(Self)
        }

        /// Does this work on each item, several at a time.
        pub fn each<T: Send>(&self, items: &mut [T], work: impl Fn(&mut T) + Sync + Send) {
            self.0.install(|| items.par_iter_mut().for_each(work));
        }

        /// Does this work on each item, several at a time, and meanwhile something else, whose answer it returns.
        pub fn each_while<T: Send, A: Send>(
            &self,
            items: &mut [T],
            work: impl Fn(&mut T) + Sync + Send,
            meanwhile: impl FnOnce() -> A + Send,
        ) -> A {
            let ((), answer) =
                self.0.install(|| rayon::join(|| items.par_iter_mut().for_each(work), meanwhile));
            answer
        }
    }
}

#[cfg(not(feature = "threads"))]
mod real {
    /// There is no pool: a single thread does everything.
    pub enum Pool {}

    impl Pool {
        pub fn of(_: usize) -> Option<Self> {
            None
        }

        pub fn each<T>(&self, _: &mut [T], _: impl Fn(&mut T)) {
            match *self {}
        }

        pub fn each_while<T, A>(
            &self,
            _: &mut [T],
            _: impl Fn(&mut T),
            _: impl FnOnce() -> A,
        ) -> A {
            match *self {}
        }
    }
}

pub(crate) use real::Pool;
