//! Which part of a file is asked for (RFC 9110 §14).

/// What a `Range` header asks of something of `size` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// All of it: no range, one that cannot be read, or several at once.
    Whole,
    /// `from..to`.
    Part(u64, u64),
    /// Nothing there: 416.
    Outside,
}

pub(crate) fn asked(header: Option<&str>, size: u64) -> Asked {
    let Some((_, spec)) =
        header.and_then(|h| h.trim().split_once('=')).filter(|(unit, _)| unit.eq_ignore_ascii_case("bytes"))
    else {
        return Asked::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-').filter(|_| !spec.contains(',')) else { return Asked::Whole };
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    match (first.trim(), last.trim()) {
        ("", last) => match number(last) {
            Some(0) => Asked::Outside,
            Some(_) if size == 0 => Asked::Outside,
            Some(tail) => Asked::Part(size.saturating_sub(tail), size),
            None => Asked::Whole,
        },
        (first, last) => {
            let end = if last.is_empty() { Some(size) } else { number(last).map(|n| n.saturating_add(1).min(size)) };
            match (number(first), end) {
                (Some(from), Some(_)) if from >= size => Asked::Outside,
                (Some(from), Some(to)) if from < to => Asked::Part(from, to),
                _ => Asked::Whole,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (header, wanted) in [
            ("bytes=0-0", Asked::Part(0, 1)),
            ("Bytes=0-0", Asked::Part(0, 1)),
            ("bytes=2-5", Asked::Part(2, 6)),
            ("bytes=2-", Asked::Part(2, 10)),
            ("bytes=2-99999999999999999999", Asked::Whole),
            ("bytes=2-999", Asked::Part(2, 10)),
            ("bytes=-3", Asked::Part(7, 10)),
            ("bytes=-30", Asked::Part(0, 10)),
            ("bytes=10-", Asked::Outside),
            ("bytes=-0", Asked::Outside),
            ("bytes=5-2", Asked::Whole),
            ("bytes=0-1,4-5", Asked::Whole),
            ("lines=0-1", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("bytes=--1", Asked::Whole),
        ] {
            assert_eq!(asked(Some(header), 10), wanted, "{header}");
        }
        assert_eq!(asked(None, 10), Asked::Whole);
        assert_eq!(asked(Some("bytes=0-"), 0), Asked::Outside);
    }
}
