//! Licenses and warranties, which requests only read.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    ask::Ask,
    moment,
    nouns::{Behavior, Route},
    tenant::Tenant,
};

pub(crate) const ROUTES: &[Route] = &[("GET /organization/licenses", Behavior::Read(list))];

/// A license or warranty.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct License {
    pub(crate) id: String,
    pub(crate) state: &'static str,
    pub(crate) expires: Option<i64>,
    pub(crate) activated: Option<i64>,
    pub(crate) warranty: bool,
    pub(crate) transferable: bool,
    pub(crate) bound_device_sn: Option<String>,
    pub(crate) created: i64,
    pub(crate) order: Option<String>,
    pub(crate) device_id: Option<String>,
    pub(crate) product: (String, &'static str),
    pub(crate) model_id: Option<String>,
}

impl License {
    fn wanted(&self, ask: &Ask) -> bool {
        let assigned = self.device_id.is_some() || self.bound_device_sn.is_some();
        let states = ask.text("state");
        let ends = |bound: &str, fits: fn(i64, i64) -> bool| {
            let bound = ask.text(bound).and_then(moment::read);
            bound.is_none_or(|bound| self.expires.is_some_and(|end| fits(end, bound)))
        };
        let flag = |name: &str, value: bool| ask.flag(name).is_none_or(|wanted| wanted == value);
        states.is_none_or(|states| states.split(',').any(|state| state == self.state))
            && flag("assigned", assigned)
            && flag("warranty", self.warranty)
            && flag("transferable", self.transferable)
            && ask.wants("product_id", Some(&self.product.0))
            && ask.wants("device_model_id", self.model_id.as_deref())
            && ask.wants("bound_device_sn", self.bound_device_sn.as_deref())
            && ask.wants("order_short_id", self.order.as_deref())
            && ends("expires_before", |end, bound| end <= bound)
            && ends("expires_after", |end, bound| end >= bound)
    }
}

impl Tenant {
    fn license_view(&self, license: &License) -> Value {
        let device = license.device_id.as_ref().and_then(|id| self.devices.get(id));
        let model = license.model_id.as_ref().and_then(|id| self.model(id));
        json!({
            "id": license.id,
            "state": license.state,
            "expires_at": license.expires.map(moment::written),
            "activated_at": license.activated.map(moment::written),
            "warranty": license.warranty,
            "transferable": license.transferable,
            "bound_device_sn": license.bound_device_sn,
            "created_at": moment::written(license.created),
            "order_short_id": license.order,
            "partner": { "id": self.organization.partner_id, "name": self.organization.partner },
            "device": device.map(|device| json!({ "id": device.id, "sn": device.sn })),
            "product": { "id": license.product.0, "name": license.product.1 },
            "device_model": model.map(|model| json!({ "id": model.id, "name": model.name })),
        })
    }
}

fn list(ask: &Ask, tenant: &Tenant) -> Value {
    let rows = tenant.licenses.iter().filter(|license| license.wanted(ask));
    ask.page.of(rows, |license| tenant.license_view(license))
}
