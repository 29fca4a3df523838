//! What stands in for the bridge to a Prometheus view where that is not compiled in: nothing can make one.

use crate::aggregator::Observed;
use crate::metric::MetricInfo;
use crate::tags::TagSet;

pub(crate) enum Bridge {}

pub(crate) enum Exposed {}

impl Bridge {
    pub(crate) fn expose(&mut self, _: &MetricInfo, _: &TagSet) -> Option<Exposed> {
        match *self {}
    }

    pub(crate) fn observe(&mut self, _: &MetricInfo, _: Observed) {
        match *self {}
    }

    pub(crate) fn upkeep(&self) {
        match *self {}
    }
}

impl Exposed {
    pub(crate) fn record(&mut self, _: Observed) {
        match *self {}
    }
}
