//! Time slices: a script that computes for long lets the others of its group in, and the driver go.
//!
//! Scripts run to their end, so one that computes would keep its group's thread, and the driver with all its groups.
//! A watch looks at each group every [`TICK`], from a thread of its own, and that is all this costs:
//!
//! - When it finds the same script running again on a driver's thread, the role goes to another thread. That needs
//!   nothing of V8.
//! - When the script has run for about 20 ms and someone waits at the group's gate, V8 is asked for an interrupt: it
//!   calls [`on_interrupt`] between two instructions of the script, and the thread parks there as in a blocking native
//!   until its turn comes again. To its VU that looks as if the script had computed all the while: what comes for it
//!   waits.
//!
//! V8 looks for interrupts when a function of a script begins and when a loop of one comes round, and in regular
//! expressions. A single call of a built-in function that takes long (sorting without a comparator, parsing JSON) is
//! not cut; that the driver is replaced helps the other groups.

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::time::Duration;

use super::stint::Stint;
use super::{Group, Post, gate, seat};

/// How often the watch looks.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// So many times after the first is the same script found before the driver is replaced: after 10 to 20 ms.
const REPLACE: u32 = 1;

/// And before it is cut: after 20 to 30 ms.
const CUT: u32 = 2;

/// What the watch sees of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sight {
    /// The script that runs.
    pub(crate) stint: Option<Stint>,
    /// It runs on the thread that was the driver when it entered.
    pub(crate) is_led: bool,
    /// Someone waits at the gate.
    pub(crate) is_wanted: bool,
}

/// What is to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Step {
    /// Another thread is to be the driver.
    pub(crate) replace_driver: bool,
    /// The script is to let others in.
    pub(crate) cut: Option<Stint>,
}

/// The watch on one group.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    seen: Option<Stint>,
    ticks: u32,
    is_replaced: bool,
    /// How long others have waited for the script seen.
    waited: Duration,
    /// By VU of the group.
    hold_ups: BTreeMap<u32, HoldUp>,
}

/// How long others have waited while the script of one VU ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct HoldUp {
    pub(crate) total: Duration,
    /// For one slice or one call that could not be cut.
    pub(crate) longest: Duration,
}

impl Watch {
    /// Judges what is seen now; `elapsed` is the time since the last look.
    pub(crate) fn judge(&mut self, sight: Sight, elapsed: Duration) -> Step {
        let stint = match sight.stint {
            Some(stint) if self.seen == Some(stint) => stint,
            other => {
                self.seen = other;
                self.ticks = 0;
                self.is_replaced = false;
                self.waited = Duration::ZERO;
                return Step::default();
            }
        };
        self.ticks = self.ticks.saturating_add(1);
        if sight.is_wanted {
            self.waited += elapsed;
            let held_up = self.hold_ups.entry(stint.vu()).or_default();
            held_up.total += elapsed;
            held_up.longest = held_up.longest.max(self.waited);
        }
        Step {
            replace_driver: sight.is_led && !self.is_replaced && self.ticks >= REPLACE,
            cut: (sight.is_wanted && self.ticks >= CUT).then_some(stint),
        }
    }

    /// Another thread is the driver now.
    pub(crate) fn replaced(&mut self) {
        self.is_replaced = true;
    }

    /// How long the VUs of the group have kept others waiting.
    pub(crate) fn hold_ups(&self) -> impl Iterator<Item = (u32, HoldUp)> {
        self.hold_ups.iter().map(|(&vu, &held_up)| (vu, held_up))
    }
}

impl Group {
    /// What the watch sees.
    pub(crate) fn sight(&self) -> Sight {
        use std::sync::atomic::Ordering::Relaxed;
        Sight {
            stint: self.running.stint(),
            is_led: self.is_led.load(Relaxed),
            is_wanted: self.gate.is_wanted(),
        }
    }

    /// Has the script let others in, provided that its stint is still the one under way when V8 looks.
    pub(crate) fn cut(&self, stint: Stint) {
        if self.running.ask(stint) {
            let data = std::ptr::from_ref(self).cast_mut().cast::<c_void>();
            self.isolate.thread_safe_handle().request_interrupt(on_interrupt, data);
        }
    }

    /// Lets others in, in the middle of the script that runs, if it was asked to.
    fn give_way(&self) {
        let Some(inside) = seat::inside() else { return };
        let Some(stint) = self.running.take_asked() else { return };
        let vu = stint.vu();
        if self.must_end(vu) {
            return self.terminate();
        }
        // Neither a driver nor a native of ours that has called V8 in the middle of its work can leave; if it is
        // still so, the watch asks again.
        if seat::has_role() || self.state.is_open() {
            return;
        }
        // The driver learns of what the script has done so far: queued messages go out.
        self.handle.post(Post::Look);
        self.running.pause();
        inside.unlocked(gate::Gate::give_way);
        self.running.begin(vu);
        if self.must_end(vu) {
            // V8 was asked to look while others ran.
            self.terminate();
        }
    }
}

unsafe extern "C" fn on_interrupt(_: v8::UnsafeRawIsolatePtr, data: *mut c_void) {
    // SAFETY: V8 calls this from a running script only, and scripts of this isolate run inside
    // `Group::enter`, which borrows the group.
    let group = unsafe { &*data.cast::<Group>().cast_const() };
    group.give_way();
}

#[cfg(test)]
mod tests {
    use super::super::stint::Running;
    use super::*;

    /// A group that computes: who is seen, by ticks.
    struct Scene {
        running: Running,
        watch: Watch,
        is_led: bool,
        is_wanted: bool,
    }

    impl Scene {
        fn new(is_led: bool, is_wanted: bool) -> Self {
            Self { running: Running::default(), watch: Watch::default(), is_led, is_wanted }
        }

        fn tick(&mut self) -> Step {
            let sight = Sight { stint: self.running.stint(), is_led: self.is_led, is_wanted: self.is_wanted };
            self.watch.judge(sight, TICK)
        }

        fn held_up(&self, vu: u32) -> Option<HoldUp> {
            self.watch.hold_ups().find(|(known, _)| *known == vu).map(|(_, held_up)| held_up)
        }
    }

    const NOTHING: Step = Step { replace_driver: false, cut: None };
    const REPLACE_DRIVER: Step = Step { replace_driver: true, cut: None };

    fn cut(stint: Option<Stint>) -> Step {
        assert!(stint.is_some());
        Step { replace_driver: false, cut: stint }
    }

    #[test]
    fn a_script_that_keeps_others_waiting_is_cut_after_two_ticks() {
        let mut scene = Scene::new(false, true);
        assert_eq!(scene.tick(), NOTHING, "nobody computes");
        scene.running.begin(3);
        let stint = scene.running.stint();
        assert_eq!([scene.tick(), scene.tick()], [NOTHING; 2]);
        assert_eq!([scene.tick(), scene.tick()], [cut(stint); 2], "until it reacts");
        scene.running.pause();
        scene.running.begin(3);
        assert_eq!([scene.tick(), scene.tick()], [NOTHING; 2], "its next slice");
    }

    #[test]
    fn nobody_is_cut_for_nobody() {
        let mut scene = Scene::new(false, false);
        scene.running.begin(3);
        assert_eq!([(); 9].map(|()| scene.tick()), [NOTHING; 9]);
        scene.is_wanted = true;
        assert_eq!(scene.tick(), cut(scene.running.stint()), "it has had its time already");
        assert_eq!(scene.held_up(3), Some(HoldUp { total: TICK, longest: TICK }));
    }

    #[test]
    fn many_short_scripts_are_left_alone() {
        let mut scene = Scene::new(true, true);
        for _ in 0..9 {
            scene.running.begin(3);
            assert_eq!(scene.tick(), NOTHING);
            scene.running.resume(None);
        }
        assert_eq!(scene.held_up(3), None);
    }

    #[test]
    fn a_driver_is_replaced_before_its_script_is_cut() {
        let mut scene = Scene::new(true, false);
        scene.running.begin(0);
        assert_eq!(scene.tick(), NOTHING);
        assert_eq!([scene.tick(), scene.tick()], [REPLACE_DRIVER; 2], "until there is a thread for it");
        scene.is_wanted = true;
        let both = Step { replace_driver: true, cut: scene.running.stint() };
        assert_eq!(scene.tick(), both, "and nobody else waits for that");
        scene.watch.replaced();
        assert_eq!(scene.tick(), cut(scene.running.stint()));
        scene.running.begin(1);
        scene.tick();
        assert_eq!(scene.tick(), REPLACE_DRIVER, "the next one's");
    }

    #[test]
    fn hold_ups_are_booked_to_the_vu_that_ran() {
        let mut scene = Scene::new(false, true);
        for (vu, ticks) in [(1, 4), (2, 2), (1, 3)] {
            scene.running.begin(vu);
            // The first one does not know how long it has been running.
            (0..=ticks).for_each(|_| _ = scene.tick());
        }
        assert_eq!(scene.held_up(1), Some(HoldUp { total: TICK * 7, longest: TICK * 4 }));
        assert_eq!(scene.held_up(2), Some(HoldUp { total: TICK * 2, longest: TICK * 2 }));
    }
}
