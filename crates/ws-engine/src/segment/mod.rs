//! Which part of a test this instance runs, when several share it.

mod ratio;
mod stripes;

use std::fmt;

use ratio::{Ratio, lcm};
pub(crate) use stripes::Stripes;

/// A part of a test, such as `1/3:2/3`: from where to where, of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    from: Ratio,
    to: Ratio,
}

/// How a test is divided: segments without gaps from 0 to 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentSequence {
    /// Where one ends and the next begins, 0 and 1 included.
    borders: Vec<Ratio>,
}

/// A text that is no segment or sequence, or parts that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentError {
    /// No percentage, decimal, fraction or interval.
    Value(String),
    /// A segment begins before the whole, here (with two decimals).
    Start(String),
    /// A segment ends after the whole, here.
    End(String),
    /// A segment does not begin before its end: these two.
    Order(String, String),
    /// A sequence of this many points.
    TooFewPoints(usize),
    /// The segment is none of the sequence's.
    NotInSequence(Segment, SegmentSequence),
    /// Dividing like this takes too many indices to repeat itself.
    TooFine,
}

impl Segment {
    /// The whole test.
    pub const WHOLE: Self = Self { from: Ratio::ZERO, to: Ratio::ONE };

    /// Reads `0:1/3`, `25%:0.5`, or one value, which is from 0 to there. The empty text is the whole.
    ///
    /// # Errors
    ///
    /// [`SegmentError`] for anything else.
    ///
    /// # Examples
    ///
    /// ```
    /// use ws_engine::Segment;
    ///
    /// assert_eq!(Segment::parse("50%").unwrap(), Segment::parse("0:1/2").unwrap());
    /// assert_eq!(Segment::parse("25%:0.5").unwrap().to_string(), "1/4:1/2");
    /// ```
    pub fn parse(text: &str) -> Result<Self, SegmentError> {
        if text.is_empty() {
            return Ok(Self::WHOLE);
        }
        match text.split_once(':') {
            Some((from, to)) => Self::between(value(from)?, value(to)?),
            None => Self::between(Ratio::ZERO, value(text)?),
        }
    }

    fn between(from: Ratio, to: Ratio) -> Result<Self, SegmentError> {
        if from < Ratio::ZERO {
            return Err(SegmentError::Start(from.decimals()));
        }
        if from >= to {
            return Err(SegmentError::Order(from.decimals(), to.decimals()));
        }
        if to > Ratio::ONE {
            return Err(SegmentError::End(to.decimals()));
        }
        Ok(Self { from, to })
    }

    /// How much of the whole it is, from 0 to 1.
    pub fn length(self) -> f64 {
        self.to.minus(self.from).as_f64()
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.from, self.to)
    }
}

fn value(text: &str) -> Result<Ratio, SegmentError> {
    Ratio::parse(text).ok_or_else(|| SegmentError::Value(text.to_owned()))
}

impl SegmentSequence {
    /// Reads `0,1/3,2/3,1`. What is missing at the ends is added.
    ///
    /// # Errors
    ///
    /// [`SegmentError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, SegmentError> {
        let points = text.split(',').map(value).collect::<Result<Vec<_>, _>>()?;
        if points.len() < 2 {
            return Err(SegmentError::TooFewPoints(points.len()));
        }
        for pair in points.windows(2) {
            Segment::between(pair[0], pair[1])?;
        }
        Ok(Self::filled(points))
    }

    fn filled(mut borders: Vec<Ratio>) -> Self {
        if borders.first() != Some(&Ratio::ZERO) {
            borders.insert(0, Ratio::ZERO);
        }
        if borders.last() != Some(&Ratio::ONE) {
            borders.push(Ratio::ONE);
        }
        Self { borders }
    }

    fn segments(&self) -> impl Iterator<Item = Segment> {
        self.borders.windows(2).map(|pair| Segment { from: pair[0], to: pair[1] })
    }
}

impl fmt::Display for SegmentSequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let borders: Vec<_> = self.borders.iter().map(ToString::to_string).collect();
        f.write_str(&borders.join(","))
    }
}

/// This instance's place among those that share a test.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    segment: Segment,
    /// How many of each so many indices each segment gets, in order.
    lengths: Vec<u64>,
    own: usize,
    stripes: Stripes,
}

impl Share {
    /// A test of its own.
    pub fn whole() -> Self {
        Self { segment: Segment::WHOLE, lengths: vec![1], own: 0, stripes: Stripes::whole() }
    }

    /// The segment within the sequence; without one, within what is left beside it.
    ///
    /// # Errors
    ///
    /// If the sequence does not have the segment, or is too fine.
    pub fn new(segment: Segment, sequence: Option<SegmentSequence>) -> Result<Self, SegmentError> {
        let sequence = sequence.unwrap_or_else(|| SegmentSequence::filled(vec![segment.from, segment.to]));
        let own = sequence.segments().position(|candidate| candidate == segment);
        let Some(own) = own else { return Err(SegmentError::NotInSequence(segment, sequence)) };
        let parts: Vec<Ratio> = sequence.segments().map(|s| s.to.minus(s.from)).collect();
        let period = parts.iter().try_fold(1, |all, part| lcm(all, part.denominator()));
        let period = period.filter(|period| *period <= LONGEST_PERIOD).ok_or(SegmentError::TooFine)?;
        let lengths: Vec<u64> = parts.iter().map(|part| part.of(period)).collect();
        let stripes = Stripes::of(&lengths, own);
        Ok(Self { segment, lengths, own, stripes })
    }

    /// The segment.
    pub fn segment(&self) -> Segment {
        self.segment
    }

    /// The own part of a number; over all instances the parts add up to it.
    pub fn scale(&self, total: u64) -> u64 {
        self.stripes.count(total)
    }

    /// The number over all instances of what is number `own` here, both from 0.
    pub fn nth(&self, own: u64) -> u64 {
        self.stripes.nth(own)
    }

    pub(crate) fn stripes(&self) -> &Stripes {
        &self.stripes
    }

    /// The stripes when work is dealt out by how many of `total` each instance has, so that an instance which has more of
    /// them gets more of it; and the own part of the whole as two numbers.
    pub(crate) fn weighted(&self, total: u64) -> (Stripes, u64, u64) {
        let counts = stripes::counts(&self.lengths, total);
        let before = counts[..self.own].iter().filter(|count| **count > 0).count();
        let own = counts[self.own];
        let weights: Vec<u64> = counts.into_iter().filter(|count| *count > 0).collect();
        if own == 0 {
            return (Stripes::none(), 0, total);
        }
        let divisor = weights.iter().copied().fold(0, ratio::gcd);
        let weights: Vec<u64> = weights.iter().map(|weight| weight / divisor).collect();
        (Stripes::of(&weights, before), own, total)
    }
}

/// Beyond this the pattern of a sequence is not worth its memory; k6 users divide by tens.
const LONGEST_PERIOD: u64 = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(sequence: &str) -> Vec<Share> {
        let sequence = SegmentSequence::parse(sequence).unwrap();
        let segments: Vec<_> = sequence.segments().collect();
        segments.into_iter().map(|segment| Share::new(segment, Some(sequence.clone())).unwrap()).collect()
    }

    fn first(stripes: &Stripes, below: u64) -> Vec<u64> {
        (0..stripes.count(below)).map(|own| stripes.nth(own)).collect()
    }

    #[test]
    fn texts() {
        for (text, expected) in [
            ("", "0:1"),
            ("50%", "0:1/2"),
            ("0.25:0.5", "1/4:1/2"),
            ("12.5%:1", "1/8:1"),
            ("1/3:2/3", "1/3:2/3"),
            ("2/6:4/6", "1/3:2/3"),
            ("1e-1", "0:1/10"),
        ] {
            assert_eq!(Segment::parse(text).unwrap().to_string(), expected);
        }
        let number = |text: &str| text.to_owned();
        for (text, error) in [
            ("x", SegmentError::Value(number("x"))),
            (" 0:1/2", SegmentError::Value(number(" 0"))),
            ("1/0", SegmentError::Value(number("1/0"))),
            ("0:1/2:3", SegmentError::Value(number("1/2:3"))),
            ("0:1.5", SegmentError::End(number("1.50"))),
            ("-1:1", SegmentError::Start(number("-1.00"))),
            ("50:25%", SegmentError::Order(number("50.00"), number("0.25"))),
            ("0", SegmentError::Order(number("0.00"), number("0.00"))),
        ] {
            assert_eq!(Segment::parse(text), Err(error), "{text}");
        }
        assert_eq!(SegmentSequence::parse("1/3,2/3").unwrap().to_string(), "0,1/3,2/3,1");
        assert_eq!(SegmentSequence::parse("0"), Err(SegmentError::TooFewPoints(1)));
        let back = SegmentError::Order(number("0.50"), number("0.33"));
        assert_eq!(SegmentSequence::parse("0,1/2,1/3,1"), Err(back));
    }

    #[test]
    fn a_segment_must_be_one_of_its_sequence() {
        let (segment, sequence) =
            (Segment::parse("0:1/3").unwrap(), SegmentSequence::parse("0,1/2,1").unwrap());
        let error = Share::new(segment, Some(sequence.clone()));
        assert_eq!(error, Err(SegmentError::NotInSequence(segment, sequence)));
        let fine = Segment::parse("1/99999989:1").unwrap();
        assert_eq!(Share::new(fine, None), Err(SegmentError::TooFine));
    }

    #[test]
    fn the_longest_segment_comes_first() {
        let of = |sequence: &str| shares(sequence).iter().map(|s| first(s.stripes(), 12)).collect::<Vec<_>>();
        assert_eq!(of("0,1/2,3/4,1"), [vec![0, 2, 4, 6, 8, 10], vec![1, 5, 9], vec![3, 7, 11]]);
        assert_eq!(of("0,1/3,2/3,1"), [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]);
        assert_eq!(of("1/3,1")[0], [1, 4, 7, 10]);
    }

    #[test]
    fn work_goes_by_weight() {
        let iterations: Vec<_> = shares("0,1/3,2/3,1").iter().map(|s| first(&s.weighted(5).0, 10)).collect();
        assert_eq!(iterations, [vec![0, 3, 5, 8], vec![1, 4, 6, 9], vec![2, 7]]);
        let counts: Vec<_> = shares("0,1/3,2/3,1").iter().map(|s| s.weighted(12).0.count(22)).collect();
        assert_eq!(counts, [8, 7, 7]);
        // One VU only: the others drop out.
        let counts: Vec<_> = shares("0,1/3,2/3,1").iter().map(|s| s.weighted(1).0.count(10)).collect();
        assert_eq!(counts, [10, 0, 0]);
    }
}
