//! Outputs: who else wants the samples. Each has a thread and a bounded queue of its own.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::buffer::Batch;
use crate::queue::{Popped, Queue};
use crate::registry::Registry;
use crate::report::OutputReport;
use crate::tags::TagSets;

/// Something that takes samples out of the process, or into a file.
///
/// It runs on a thread of its own and may take its time: what does not fit into its queue meanwhile is dropped
/// and counted, nobody else waits.
pub trait Output: Send {
    /// A name for messages.
    fn name(&self) -> String;

    /// Takes a batch.
    ///
    /// # Errors
    ///
    /// Whatever kept it from doing so. The batch then counts as dropped, and the next one is tried.
    fn batch(&mut self, batch: &Arc<Batch>, registry: &Registry, tag_sets: &TagSets) -> io::Result<()>;

    /// How often [`tick`](Self::tick) is called; asked after each call. A second unless said otherwise.
    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    /// Called at intervals even if there are no samples, for outputs that flush or send now and then.
    ///
    /// # Errors
    ///
    /// Whatever kept it from sending.
    fn tick(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Writes what it still holds. Called once, after the last batch.
    ///
    /// # Errors
    ///
    /// Whatever kept it from doing so.
    fn finish(&mut self) -> io::Result<()>;
}

/// An output at work.
#[derive(Debug)]
pub(crate) struct Feed {
    name: String,
    queue: Arc<Queue<Arc<Batch>>>,
    dropped: u64,
    done: Receiver<Ending>,
}

/// What the output's thread has to say at the end.
#[derive(Debug)]
struct Ending {
    failed: u64,
    error: Option<String>,
}

impl Feed {
    pub(crate) fn start(
        output: Box<dyn Output>,
        capacity: usize,
        registry: Arc<Registry>,
        tag_sets: Arc<TagSets>,
    ) -> Self {
        let name = output.name();
        let queue = Arc::new(Queue::new(capacity));
        let (tell, done) = sync_channel(1);
        let work = {
            let queue = queue.clone();
            move || {
                // The feed may have given up waiting; then nobody listens.
                let _ = tell.send(run(output, &queue, &registry, &tag_sets));
            }
        };
        if let Err(error) = thread::Builder::new().name(format!("output {name}")).spawn(work) {
            // The closure is gone with its sender, so `finish` will see the end at once.
            queue.close();
            let (tell, done) = sync_channel(1);
            let _ = tell.send(Ending { failed: 0, error: Some(error.to_string()) });
            return Self { name, queue, dropped: 0, done };
        }
        Self { name, queue, dropped: 0, done }
    }

    /// Offers a batch; never waits.
    pub(crate) fn offer(&mut self, batch: &Arc<Batch>) {
        if let Err(batch) = self.queue.try_push(batch.clone(), batch.len()) {
            self.dropped += batch.observations();
        }
    }

    /// No more batches will come.
    pub(crate) fn close(&self) {
        self.queue.close();
    }

    /// Waits for the output to end, until `deadline`.
    pub(crate) fn finish(mut self, deadline: Instant, grace: Duration) -> OutputReport {
        let ending = self.done.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        self.dropped += self.queue.abandon().iter().map(|batch| batch.observations()).sum::<u64>();
        let (failed, error) = match ending {
            Ok(ending) => (ending.failed, ending.error),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                (0, Some(format!("did not finish within {} s", grace.as_secs_f64())))
            }
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => (0, Some("panicked".to_owned())),
        };
        OutputReport { name: self.name, dropped: self.dropped + failed, error }
    }
}

fn run(
    mut output: Box<dyn Output>,
    queue: &Queue<Arc<Batch>>,
    registry: &Registry,
    tag_sets: &TagSets,
) -> Ending {
    let mut ending = Ending { failed: 0, error: None };
    let mut note = |result: io::Result<()>| {
        if let Err(error) = &result {
            ending.error.get_or_insert_with(|| error.to_string());
        }
        result.is_err()
    };
    let mut failed = 0;
    let mut next_tick = Instant::now() + output.interval();
    loop {
        match queue.pop(Some(next_tick)) {
            Popped::Item(batch) => {
                if note(output.batch(&batch, registry, tag_sets)) {
                    failed += batch.observations();
                }
            }
            Popped::TimedOut => {}
            Popped::Closed => break,
        }
        if Instant::now() >= next_tick {
            note(output.tick());
            next_tick = Instant::now() + output.interval();
        }
    }
    note(output.finish());
    ending.failed = failed;
    ending
}
