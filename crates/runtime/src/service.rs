//! One service: a catalogue, the API behind it, the limits and the operator's settings.
//!
//! It is made once and shared by every transport; it knows no transport itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio_util::task::TaskTracker;

use crate::api::Api;
use crate::audit::Audit;
use crate::caller::{Selection, Toolsets};
use crate::catalogue::{Catalogue, Tool};
use crate::dispatch::consent::Policy;
use crate::drift::Drift;
use crate::ledger::Ledger;
use crate::limit::Limit;
use crate::metrics::{Metrics, Reuse};
use crate::seal::Seal;
use crate::shared::{Address, Gone, Shared};
use crate::strangers::Strangers;
use crate::upstream::{Manners, Upstream};

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is shown, and the bound of what a request may select; unset, the default set is shown and a request may select any.
    pub toolsets: Toolsets,
    /// Whether everything that changes something is refused.
    pub read_only: bool,
    /// Calls per key in any 60 seconds; 0 = off.
    pub rate_limit: u32,
    /// The Redis that all replicas share; without one, each counts for itself.
    pub redis: Option<Address>,
    /// How long one whole call may take.
    pub deadline: Duration,
    /// How long a call may take that is computed from many requests.
    pub long_deadline: Duration,
    /// How the platform is treated.
    pub manners: Manners,
    /// Tells a caller without a key where to put one.
    pub key_hint: String,
    /// Members that every result's `_meta` carries.
    pub meta: Map<String, Value>,
    /// Where calls are written down.
    pub audit: Audit,
    /// When people are asked before a change.
    pub confirm: Policy,
    /// What people are asked for besides what destroys: values of arguments that the catalogue names.
    pub confirm_named: Vec<String>,
    /// Where it is remembered what changes did, unless replicas share that; without one, in this process.
    pub ledger: Option<Arc<Ledger>>,
    /// Most targets of one call.
    pub bulk_max: usize,
    /// Seals what callers bring back: cursors, plans.
    pub seal: Arc<Seal>,
    /// Most tokens of one answer, counted as characters ÷ 4.
    pub answer_tokens: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            toolsets: Toolsets::Unset,
            read_only: false,
            rate_limit: 60,
            redis: None,
            deadline: Duration::from_secs(20),
            long_deadline: Duration::from_secs(40),
            manners: Manners::default(),
            key_hint: "Set the API key.".to_owned(),
            meta: Map::new(),
            audit: Audit::default(),
            confirm: Policy::default(),
            confirm_named: Vec::new(),
            ledger: None,
            bulk_max: 50,
            seal: Arc::default(),
            answer_tokens: 6_000,
        }
    }
}

/// What every transport shares.
pub struct Service {
    /// The tools.
    pub catalogue: Catalogue,
    /// The operator's decisions.
    pub settings: Settings,
    /// What operators count.
    pub metrics: Metrics,
    /// Where the platform's answers depart from its document.
    pub drift: Drift,
    pub(crate) api: Arc<dyn Api>,
    pub(crate) limit: Limit,
    /// What is remembered of changes.
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) upstream: Upstream,
    /// Calls whose end was not told yet.
    pub(crate) under_way: TaskTracker,
    shared: Option<Arc<Shared>>,
    /// Addresses whose requests are refused.
    pub(crate) strangers: Strangers,
    /// The list for callers who selected nothing: by far the most.
    unselected: Arc<[rmcp::model::Tool]>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Service {
    /// Puts the parts together.
    pub fn new(catalogue: Catalogue, api: Arc<dyn Api>, settings: Settings) -> Self {
        let reuse = Reuse::default();
        let metrics = Metrics::new(&catalogue, &reuse);
        let shared = settings.redis.clone().map(|address| {
            Shared::new(address, &catalogue.api.scheme, metrics.redis_errors.clone())
        });
        let fallbacks = metrics.limit_fallbacks.clone();
        let limit = Limit::new(settings.rate_limit, shared.clone(), fallbacks);
        let upstream =
            Upstream::new(&settings.manners, shared.clone()).counting(reuse, metrics.attempts());
        let ledger = match (&shared, &settings.ledger) {
            (Some(shared), _) => Arc::new(Ledger::shared(shared.clone())),
            (None, Some(ledger)) => ledger.clone(),
            (None, None) => Arc::new(Ledger::here()),
        };
        let drift = Drift::new(api.clone(), &catalogue, metrics.drifted());
        let unselected = Arc::default();
        let under_way = TaskTracker::new();
        let mut service = Self {
            catalogue,
            settings,
            metrics,
            drift,
            api,
            limit,
            ledger,
            upstream,
            under_way,
            shared,
            strangers: Strangers::default(),
            unselected,
        };
        service.unselected = service.list(&Selection::default()).into();
        service
    }

    /// Waits until no call is under way; for those who let in no more.
    pub(crate) async fn all_calls_over(&self) {
        self.under_way.close();
        self.under_way.wait().await;
    }

    /// Connects to what replicas share, if there is anything; without it, the service works alone.
    pub async fn start(&self) {
        if let Some(shared) = &self.shared {
            shared.start().await;
        }
    }

    /// Asks whether what replicas share is there; nothing is never missing.
    ///
    /// # Errors
    /// When Redis does not answer in time.
    pub async fn ping(&self) -> Result<(), Gone> {
        match &self.shared {
            Some(shared) => shared.ping().await,
            None => Ok(()),
        }
    }

    /// The tools this selection shows, as they are served.
    pub fn shown(&self, selection: &Selection) -> Vec<rmcp::model::Tool> {
        if *selection == Selection::default() {
            self.unselected.to_vec()
        } else {
            self.list(selection)
        }
    }

    fn list(&self, selection: &Selection) -> Vec<rmcp::model::Tool> {
        let tools = self.catalogue.tools.iter();
        tools
            .filter(|tool| self.selects(tool, selection) && self.permits(tool, selection))
            .map(|tool| tool.served.clone())
            .collect()
    }

    /// Whether the selection, within the operator's bound, includes the tool.
    pub(crate) fn selects(&self, tool: &Tool, selection: &Selection) -> bool {
        let grouped = match (&self.settings.toolsets, &selection.toolsets) {
            // Whoever names tools has chosen them instead of the default ones.
            (Toolsets::Unset, Toolsets::Unset) if selection.tools.is_some() => true,
            (Toolsets::Unset, choice) => tool.is_in(choice),
            (bound, Toolsets::Unset) => tool.is_in(bound),
            (bound, choice) => tool.is_in(bound) && tool.is_in(choice),
        };
        grouped && selection.keeps(tool.name())
    }

    /// Whether the selection shows the resource that the tool reads: all that are offered, unless somebody chose toolsets or single tools.
    pub(crate) fn shows_resource(&self, tool: &Tool, selection: &Selection) -> bool {
        match selection.toolsets {
            Toolsets::Unset => self.offers(tool) && selection.keeps(tool.name()),
            _ => self.selects(tool, selection),
        }
    }

    /// Whether the operator's bound leaves the tool in reach of some selection.
    pub(crate) fn offers(&self, tool: &Tool) -> bool {
        self.settings.toolsets == Toolsets::Unset || tool.is_in(&self.settings.toolsets)
    }

    /// Whether the read-only switches let the tool pass.
    pub(crate) fn permits(&self, tool: &Tool, selection: &Selection) -> bool {
        tool.is_read() || !(self.settings.read_only || selection.read_only)
    }
}
