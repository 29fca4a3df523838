//! "did you mean ...?"

/// The end of a message about `word`: the candidate it looks like, if there is one.
pub(crate) fn advice<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    // One slip in three letters; more would be another word.
    let most = word.chars().count().div_ceil(3).min(3);
    let near = candidates.map(|candidate| (distance(word, candidate), candidate));
    match near.filter(|(distance, _)| *distance <= most).min() {
        Some((_, candidate)) => format!("; did you mean {candidate}?"),
        None => String::new(),
    }
}

/// How many letters have to be put in, left out, replaced or swapped with the next one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Rows of the table of distances between beginnings: the one before the last, the last, this one.
    let (mut older, mut old) = (Vec::new(), (0..=b.len()).collect::<Vec<_>>());
    for (i, from) in a.iter().enumerate() {
        let mut new = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let replaced = old[j] + usize::from(from != to);
            let mut best = replaced.min(old[j + 1] + 1).min(new[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *to && *from == b[j - 1] {
                best = best.min(older[j - 1] + 1);
            }
            new.push(best);
        }
        older = std::mem::replace(&mut old, new);
    }
    old[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("", "ab", 2), ("rnu", "run", 1), ("abc", "abd", 1), ("iteration", "iterations", 1)]
        {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected), "{a} {b}");
        }
    }

    #[test]
    fn only_what_is_near() {
        let commands = || ["run", "echo", "version"].into_iter();
        assert_eq!(advice("rnu", commands()), "; did you mean run?");
        assert_eq!(advice("verison", commands()), "; did you mean version?");
        assert_eq!(advice("foo", commands()), "");
        assert_eq!(advice("nope", commands()), "");
    }
}
