//! Messages from one rank to another, where the ranks do not all do the same: in a search.

/// Rank 0 and the others write to each other. A rank that has sent a message takes one before it
/// sends the next, and rank 0 sends none but an answer. So whoever receives a message is there to
/// take it, however long it is: nobody waits for somebody who waits to send.
pub(crate) trait Post {
    /// How many ranks there are beside rank 0.
    fn others(&self) -> usize;

    /// What errors call this rank.
    fn name(&self) -> String;

    fn send(&self, to: usize, bytes: &[u8]);

    /// The next message, and the rank that it is from, if one has come.
    fn take(&self) -> Option<(usize, Vec<u8>)>;

    /// The next message, asleep until it comes.
    fn wait(&self) -> (usize, Vec<u8>);
}

impl Post for nn::Alone {
    fn others(&self) -> usize {
        0
    }

    fn name(&self) -> String {
        String::new()
    }

    fn send(&self, _: usize, _: &[u8]) {}

    fn take(&self) -> Option<(usize, Vec<u8>)> {
        None
    }

    fn wait(&self) -> (usize, Vec<u8>) {
        unreachable!("nobody else sends a message")
    }
}
