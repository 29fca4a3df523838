//! The aggregator's thread: batches in, verdicts and a report out.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::aggregator::{Aggregator, Evaluation};
use crate::buffer::Batch;
use crate::output::{Feed, Output};
#[cfg(feature = "prometheus")]
use crate::prometheus::PrometheusView;
use crate::queue::{Popped, Queue};
use crate::registry::Registry;
use crate::report::Report;
use crate::tags::TagSets;
use crate::threshold::Thresholds;
use crate::warning::Warning;

/// How often thresholds are judged during a run, counted from its beginning.
pub const EVALUATION_INTERVAL: Duration = Duration::from_secs(2);
/// How often the Prometheus view is made to digest what it was given.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Where the pipeline reads the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// It wakes by itself.
    System,
    /// It learns the time only from [`Pipeline::tick`], in order with the batches.
    Manual,
}

/// Told the sorted names of the metrics whose thresholds do not hold.
pub type OnAbort = Box<dyn FnMut(&[String]) + Send>;

/// What a pipeline needs. [`PipelineConfig::new`] fills in what is usual.
pub struct PipelineConfig {
    /// The metrics; complete, because the script's init stage is over.
    pub registry: Arc<Registry>,
    /// The tag sets that batches refer to.
    pub tag_sets: Arc<TagSets>,
    /// What is judged.
    pub thresholds: Thresholds,
    /// Who else gets the batches.
    pub outputs: Vec<Box<dyn Output>>,
    /// A view to keep up to date.
    #[cfg(feature = "prometheus")]
    pub prometheus: Option<PrometheusView>,
    /// How many different (metric, tag set) are kept apart; 100,000.
    pub max_series: usize,
    /// How many entries of batches may wait for the aggregator: 2,000,000, some 80 MB. Then senders wait, which
    /// they would only do if the aggregator were starved of CPU for seconds.
    pub queue: usize,
    /// How many entries of batches may wait for each output: 1,000,000, some 40 MB shared by all outputs. Then
    /// batches are dropped and counted.
    pub output_queue: usize,
    /// How long outputs may take to finish; 10 s.
    pub output_grace: Duration,
    /// Where the time comes from.
    pub clock: Clock,
    /// Called once on the pipeline's thread, when a threshold ends the run.
    pub on_abort: OnAbort,
    /// Called on the pipeline's thread with what users should be warned of.
    pub on_warning: Box<dyn FnMut(Warning) + Send>,
}

impl PipelineConfig {
    /// No thresholds, no outputs, no view, the limits above, the system's clock; abort and warnings go nowhere.
    pub fn new(registry: Arc<Registry>, tag_sets: Arc<TagSets>) -> Self {
        Self {
            registry,
            tag_sets,
            thresholds: Thresholds::default(),
            outputs: Vec::new(),
            #[cfg(feature = "prometheus")]
            prometheus: None,
            max_series: 100_000,
            queue: 2_000_000,
            output_queue: 1_000_000,
            output_grace: Duration::from_secs(10),
            clock: Clock::System,
            on_abort: Box::new(|_| {}),
            on_warning: Box::new(|_| {}),
        }
    }
}

impl fmt::Debug for PipelineConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineConfig").field("max_series", &self.max_series).finish_non_exhaustive()
    }
}

enum Message {
    Batch(Batch),
    Started(Instant),
    Tick(Instant),
    Snapshot(Sender<Report>),
    /// The time of the run, and how long outputs may take.
    Finish(Duration, Duration),
}

/// The pipeline's queue and what it tells without being asked.
struct Shared {
    queue: Queue<Message>,
    tainted: AtomicBool,
}

/// The thread that folds batches, judges thresholds every two seconds of the run and feeds the outputs.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::time::{Duration, Instant};
/// use ws_metrics::*;
///
/// let (registry, sets) = (Arc::new(Registry::new()), Arc::new(TagSets::new()));
/// let pipeline = Pipeline::start(PipelineConfig::new(registry, sets))?;
/// pipeline.run_started(Instant::now());
///
/// let sender = pipeline.sender(); // one for each group
/// let mut buffer = SampleBuffer::new(Detail::Summed);
/// buffer.add(builtin::WS_PING, TagSetId::EMPTY, Metadata::EMPTY, Timestamp::from_nanos(1), 1.5);
/// sender.send(buffer.take())?;
///
/// let report = pipeline.finish(Duration::from_secs(1));
/// let SinkValue::Trend(ping) = &report.metric("ws_ping").unwrap().value else { unreachable!() };
/// assert_eq!(ping.max(), 1.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pipeline {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Option<Report>>>,
    grace: Duration,
}

impl Pipeline {
    /// Starts the thread, and one for each output.
    ///
    /// # Errors
    ///
    /// Those of starting a thread.
    pub fn start(config: PipelineConfig) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { queue: Queue::new(config.queue), tainted: AtomicBool::new(false) });
        let grace = config.output_grace;
        let work = {
            let shared = shared.clone();
            move || {
                // Nobody shall wait for a thread that is gone, however it went.
                let _close = CloseOnDrop(shared.clone());
                Worker::new(config, shared).run()
            }
        };
        let thread = thread::Builder::new().name("metrics".to_owned()).spawn(work)?;
        Ok(Self { shared, thread: Some(thread), grace })
    }

    /// A way in for batches.
    pub fn sender(&self) -> BatchSender {
        BatchSender { shared: self.shared.clone() }
    }

    /// A look from outside, for other threads.
    pub fn monitor(&self) -> Monitor {
        Monitor { shared: self.shared.clone() }
    }

    /// The run has begun, before `setup()`: from now on thresholds are judged every [`EVALUATION_INTERVAL`].
    pub fn run_started(&self, at: Instant) {
        self.tell(Message::Started(at));
    }

    /// It is `now`. Only of use with [`Clock::Manual`].
    pub fn tick(&self, now: Instant) {
        self.tell(Message::Tick(now));
    }

    /// Takes in what was sent before, judges all thresholds a last time, lets the outputs finish and reports.
    /// What is sent later is refused. `run_time` is the time since the run began, setup and teardown included.
    ///
    /// If something panics on the pipeline's thread, the report is what was taken in until then.
    pub fn finish(self, run_time: Duration) -> Report {
        let grace = self.grace;
        self.finish_within(run_time, grace)
    }

    /// As [`finish`](Self::finish), with this time for the outputs.
    pub fn finish_within(mut self, run_time: Duration, grace: Duration) -> Report {
        self.tell(Message::Finish(run_time, grace));
        let ended = self.thread.take().map(JoinHandle::join);
        let report = ended.and_then(Result::ok).flatten();
        report.unwrap_or_else(|| Report { run_time, ..Report::default() })
    }

    fn tell(&self, message: Message) {
        // Refused only if the thread has panicked, which `finish` passes on.
        let _ = self.shared.queue.push(message, 0);
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported where it happened.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").finish_non_exhaustive()
    }
}

struct CloseOnDrop(Arc<Shared>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.queue.abandon();
    }
}

/// Hands batches to a pipeline; cheap to clone, one for each group.
#[derive(Clone)]
pub struct BatchSender {
    shared: Arc<Shared>,
}

impl BatchSender {
    /// Hands over a batch; an empty one is not sent. Waits only while [`PipelineConfig::queue`] is full.
    ///
    /// # Errors
    ///
    /// [`Finished`] if the pipeline has ended; the batch is lost.
    pub fn send(&self, batch: Batch) -> Result<(), Finished> {
        if batch.is_empty() {
            return Ok(());
        }
        let weight = batch.len();
        self.shared.queue.push(Message::Batch(batch), weight).map_err(|_| Finished)
    }
}

impl fmt::Debug for BatchSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchSender").finish_non_exhaustive()
    }
}

/// The pipeline has ended and takes nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the metrics pipeline has ended")]
pub struct Finished;

/// A look at a running pipeline; cheap to clone.
#[derive(Clone)]
pub struct Monitor {
    shared: Arc<Shared>,
}

impl Monitor {
    /// Whether a threshold failed at the last evaluation.
    pub fn is_tainted(&self) -> bool {
        self.shared.tainted.load(Ordering::Relaxed)
    }

    /// The results so far, all batches sent before included; `None` if the pipeline has ended. Copies the values
    /// of all trends, so not to be asked many times a second.
    pub fn snapshot(&self) -> Option<Report> {
        let (tell, answer) = channel();
        self.shared.queue.push(Message::Snapshot(tell), 0).ok()?;
        answer.recv().ok()
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("is_tainted", &self.is_tainted()).finish()
    }
}

struct Worker {
    aggregator: Aggregator,
    feeds: Vec<Feed>,
    shared: Arc<Shared>,
    clock: Clock,
    on_abort: OnAbort,
    on_warning: Box<dyn FnMut(Warning) + Send>,
    judges: bool,
    run: Option<Run>,
    next_upkeep: Option<Instant>,
    aborted: bool,
    crossed: Vec<String>,
    /// Something has panicked: what was taken in before is all there will be.
    broken: bool,
}

/// Time of the run as far as it is known.
struct Run {
    started: Instant,
    now: Instant,
    next_evaluation: Instant,
}

impl Worker {
    fn new(config: PipelineConfig, shared: Arc<Shared>) -> Self {
        let PipelineConfig { registry, tag_sets, thresholds, .. } = config;
        let feeds = config
            .outputs
            .into_iter()
            .map(|output| Feed::start(output, config.output_queue, registry.clone(), tag_sets.clone()))
            .collect();
        let judges = !thresholds.is_empty();
        let aggregator = Aggregator::new(registry, tag_sets, thresholds, config.max_series);
        #[cfg(feature = "prometheus")]
        let aggregator = match config.prometheus {
            Some(view) => aggregator.with_view(view),
            None => aggregator,
        };
        Self {
            aggregator,
            feeds,
            shared,
            clock: config.clock,
            on_abort: config.on_abort,
            on_warning: config.on_warning,
            judges,
            run: None,
            next_upkeep: None,
            aborted: false,
            crossed: Vec::new(),
            broken: false,
        }
    }

    fn run(mut self) -> Option<Report> {
        loop {
            let message = match self.shared.queue.pop(self.deadline()) {
                Popped::Item(Message::Finish(run_time, grace)) => return Some(self.finish(run_time, grace)),
                Popped::Item(message) => Some(message),
                Popped::TimedOut => None,
                Popped::Closed => return None,
            };
            self.carefully(|worker| worker.heed(message));
        }
    }

    fn heed(&mut self, message: Option<Message>) {
        match message {
            Some(Message::Batch(batch)) => self.take(batch),
            Some(Message::Started(at)) => {
                self.run = Some(Run { started: at, now: at, next_evaluation: at + EVALUATION_INTERVAL });
            }
            Some(Message::Tick(now)) => self.time_is(now),
            Some(Message::Snapshot(answer)) => {
                let report = self.snapshot();
                // Whoever asked may have gone meanwhile.
                let _ = answer.send(report);
            }
            Some(Message::Finish(..)) | None => {}
        }
        if self.clock == Clock::System {
            self.time_is(Instant::now());
        }
    }

    /// Does something that must not cost the report if it panics. Nothing more is taken in afterwards: the sums might
    /// be right, but nobody knows.
    fn carefully(&mut self, work: impl FnOnce(&mut Self)) {
        if !self.broken {
            self.broken = catch_unwind(AssertUnwindSafe(|| work(self))).is_err();
        }
    }

    fn deadline(&self) -> Option<Instant> {
        if self.clock == Clock::Manual || self.broken {
            return None;
        }
        let evaluation = self.run.as_ref().filter(|_| self.judges).map(|run| run.next_evaluation);
        [evaluation, self.next_upkeep].into_iter().flatten().min()
    }

    fn take(&mut self, batch: Batch) {
        self.aggregator.fold(&batch);
        while let Some(warning) = self.aggregator.take_warning() {
            (self.on_warning)(warning);
        }
        if !self.feeds.is_empty() {
            let batch = Arc::new(batch);
            self.feeds.iter_mut().for_each(|feed| feed.offer(&batch));
        }
    }

    fn time_is(&mut self, now: Instant) {
        if self.next_upkeep.is_none_or(|due| due <= now) {
            self.aggregator.upkeep();
            self.next_upkeep = Some(now + UPKEEP_INTERVAL);
        }
        let Some(run) = &mut self.run else { return };
        run.now = run.now.max(now);
        if !self.judges || now < run.next_evaluation {
            return;
        }
        // Evaluations keep to the marks of two seconds; those that were missed are not made up for.
        while run.next_evaluation <= now {
            run.next_evaluation += EVALUATION_INTERVAL;
        }
        let evaluation = self.aggregator.evaluate(now - run.started);
        self.conclude(evaluation);
    }

    fn conclude(&mut self, evaluation: Evaluation) {
        self.shared.tainted.store(!evaluation.crossed.is_empty(), Ordering::Relaxed);
        self.crossed = evaluation.crossed;
        if evaluation.abort && !self.aborted {
            self.aborted = true;
            (self.on_abort)(&self.crossed);
        }
    }

    fn snapshot(&mut self) -> Report {
        let run_time = self.run.as_ref().map_or(Duration::ZERO, |run| match self.clock {
            Clock::System => run.started.elapsed(),
            Clock::Manual => run.now - run.started,
        });
        let mut report = self.aggregator.report(run_time);
        report.crossed.clone_from(&self.crossed);
        report
    }

    fn finish(mut self, run_time: Duration, grace: Duration) -> Report {
        // Who sends now is refused; what was taken in meanwhile still counts.
        self.shared.queue.close();
        while let Popped::Item(message) = self.shared.queue.pop(None) {
            if let Message::Batch(batch) = message {
                self.carefully(|worker| worker.take(batch));
            }
        }
        self.feeds.iter().for_each(Feed::close);
        self.carefully(|worker| {
            worker.crossed = worker.aggregator.evaluate_finally(run_time).crossed;
            worker.shared.tainted.store(!worker.crossed.is_empty(), Ordering::Relaxed);
            worker.aggregator.upkeep();
        });
        let aggregator = &mut self.aggregator;
        let report = catch_unwind(AssertUnwindSafe(|| aggregator.report(run_time)));
        let mut report = report.unwrap_or_else(|_| Report { run_time, ..Report::default() });
        report.crossed = std::mem::take(&mut self.crossed);
        let deadline = Instant::now() + grace;
        let feeds = std::mem::take(&mut self.feeds);
        report.outputs = feeds.into_iter().map(|feed| feed.finish(deadline, grace)).collect();
        report
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Without a report too: outputs are to write what they hold.
        self.feeds.iter().for_each(Feed::close);
    }
}
