//! What replicas tell each other: short messages by topic, heard by all, the one that speaks included.
//!
//! Redis keeps no message for those who are away. So whoever comes back is told that something may have been missed, and what could not be said is said later.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redis::cmd;
use tokio::sync::Notify;

use super::{Gone, Shared};

/// Most messages that wait to be said; of more, only that there were some.
pub(super) const MOST_OWED: usize = 1024;

/// What a listener hears.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// A message.
    Message(&'a [u8]),
    /// Messages may have come that nobody heard.
    Missed,
}

type Listener = Box<dyn Fn(&Heard<'_>) + Send + Sync>;

/// Who listens to what, and what is still to be said.
#[derive(Default)]
pub(super) struct News {
    /// By channel.
    listeners: Mutex<BTreeMap<String, Arc<Listener>>>,
    /// Channels and messages.
    owed: Mutex<BTreeSet<(String, Vec<u8>)>>,
    wake: Arc<Notify>,
}

impl fmt::Debug for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("News").field("owed", &self.owed().len()).finish_non_exhaustive()
    }
}

impl Shared {
    /// Hears what any replica says about a topic from the next connection on; the listener is called on the connection's task, so it must be quick.
    pub fn listen(&self, topic: &str, listener: impl Fn(&Heard<'_>) + Send + Sync + 'static) {
        let channel = self.name("topic", topic);
        self.news.listeners().insert(channel, Arc::new(Box::new(listener)));
    }

    /// Tells all replicas now; when Redis has answered, it has passed the message on.
    ///
    /// # Errors
    /// When it did not answer in time; the message is then said when there is a connection again.
    pub async fn tell(&self, topic: &str, message: &[u8]) -> Result<(), Gone> {
        let channel = self.name("topic", topic);
        let told = self.publish(&channel, message).await;
        if told.is_err() {
            self.news.owe(channel, message.to_vec());
        }
        told
    }

    /// Tells all replicas soon, for whoever cannot wait.
    pub fn tell_soon(&self, topic: &str, message: &[u8]) {
        self.news.owe(self.name("topic", topic), message.to_vec());
    }

    pub(super) async fn tell_what_is_owed(&self) {
        loop {
            let Some((channel, message)) = self.news.owed().pop_first() else { return };
            if self.publish(&channel, &message).await.is_err() {
                return self.news.owe(channel, message);
            }
        }
    }

    async fn publish(&self, channel: &str, message: &[u8]) -> Result<(), Gone> {
        let publish = |mut redis| async move {
            cmd("PUBLISH").arg(channel).arg(message).exec_async(&mut redis).await
        };
        self.run(publish).await
    }
}

impl News {
    pub(super) fn channels(&self) -> Vec<String> {
        self.listeners().keys().cloned().collect()
    }

    pub(super) fn pass_on(&self, channel: &str, heard: &Heard<'_>) {
        let listener = self.listeners().get(channel).cloned();
        if let Some(listener) = listener {
            listener(heard);
        }
    }

    /// Tells every listener that it may have missed something.
    pub(super) fn missed(&self) {
        for channel in self.channels() {
            self.pass_on(&channel, &Heard::Missed);
        }
    }

    /// Rings when there is something to be said later.
    pub(super) fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    fn owe(&self, channel: String, message: Vec<u8>) {
        let mut owed = self.owed();
        if owed.len() >= MOST_OWED {
            let channels: BTreeSet<String> =
                owed.iter().map(|(channel, _)| channel.clone()).collect();
            // An empty message says that there were some.
            *owed = channels.into_iter().map(|channel| (channel, Vec::new())).collect();
        }
        owed.insert((channel, message));
        drop(owed);
        self.wake.notify_one();
    }

    /// Both maps are whole after every step, so a panic elsewhere cannot leave them broken.
    fn listeners(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Listener>>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn owed(&self) -> MutexGuard<'_, BTreeSet<(String, Vec<u8>)>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
