//! The calls that are on their way.

use std::collections::VecDeque;

use crate::mcp::Fault;

/// A call that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The kind of call.
    pub call: usize,
    /// When it was due, in ns.
    pub intended: u64,
    /// When it was sent, in ns.
    pub sent: u64,
    /// The text that is due, where it differs from call to call.
    pub due: Option<String>,
}

/// Calls by id, from the oldest that is open on. Ids rise by one.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    oldest: u64,
    slots: VecDeque<Option<Sent>>,
    open: usize,
    /// Answers that came while an older call was open.
    pub out_of_order: u64,
}

impl Flight {
    /// No calls yet; the first will have the id `next`.
    pub(crate) fn new(next: u64) -> Self {
        Self { oldest: next, slots: VecDeque::new(), open: 0, out_of_order: 0 }
    }

    /// How many calls are open.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Adds the next call.
    pub(crate) fn push(&mut self, sent: Sent) {
        self.slots.push_back(Some(sent));
        self.open += 1;
    }

    /// The oldest open call, and its id.
    pub(crate) fn oldest(&self) -> Option<(u64, &Sent)> {
        Some((self.oldest, self.slots.front()?.as_ref()?))
    }

    /// Whether a call after the oldest open one is answered.
    pub(crate) fn was_overtaken(&self) -> bool {
        self.open < self.slots.len()
    }

    /// An open call by its id.
    pub(crate) fn get(&self, id: u64) -> Option<&Sent> {
        self.slots.get(usize::try_from(id.checked_sub(self.oldest)?).ok()?)?.as_ref()
    }

    /// Takes out the call that an answer belongs to.
    pub(crate) fn take(&mut self, id: u64) -> Result<Sent, Fault> {
        let Some(place) = id.checked_sub(self.oldest) else { return Err(Fault::Duplicate { id }) };
        let slot = usize::try_from(place).ok().and_then(|place| self.slots.get_mut(place));
        let Some(slot) = slot else { return Err(Fault::UnknownId { id: id.to_string() }) };
        let sent = slot.take().ok_or(Fault::Duplicate { id })?;
        self.open -= 1;
        self.out_of_order += u64::from(place > 0);
        while let Some(None) = self.slots.front() {
            self.slots.pop_front();
            self.oldest += 1;
        }
        Ok(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(intended: u64) -> Sent {
        Sent { call: 0, intended, sent: intended, due: None }
    }

    #[test]
    fn answers_find_their_calls_in_any_order() {
        let mut flight = Flight::new(10);
        (0..4).for_each(|index| flight.push(sent(index)));
        assert_eq!(flight.take(12).unwrap(), sent(2));
        assert!(flight.was_overtaken());
        assert_eq!(flight.take(10).unwrap(), sent(0));
        assert_eq!(flight.take(11).unwrap(), sent(1));
        assert_eq!((flight.open(), flight.out_of_order), (1, 1));
        assert_eq!(flight.oldest(), Some((13, &sent(3))));
        assert!(!flight.was_overtaken());
        assert_eq!(flight.get(13), Some(&sent(3)));
    }

    #[test]
    fn twice_and_never_sent_are_told_apart() {
        let mut flight = Flight::new(10);
        (0..3).for_each(|index| flight.push(sent(index)));
        flight.take(11).unwrap();
        assert_eq!(flight.take(11), Err(Fault::Duplicate { id: 11 }));
        flight.take(10).unwrap();
        assert_eq!(flight.take(10), Err(Fault::Duplicate { id: 10 }));
        assert_eq!(flight.take(9), Err(Fault::Duplicate { id: 9 }));
        assert_eq!(flight.take(13), Err(Fault::UnknownId { id: "13".into() }));
        assert_eq!(flight.take(u64::MAX).unwrap_err().name(), "unknown_id");
    }
}
