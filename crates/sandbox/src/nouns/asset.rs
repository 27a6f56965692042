//! Assets and their labels: equipment that is not connected.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    answer::{Answer, Refusal, Reply},
    ask::Ask,
    nouns::{Behavior, Route},
    tenant::Tenant,
};

pub(crate) const ROUTES: &[Route] = &[
    ("GET /organization/assets", Behavior::Read(list)),
    ("POST /organization/assets", Behavior::Tenant(create)),
    ("GET /organization/assets/{}", Behavior::Tenant(get)),
    ("PUT /organization/assets/{}", Behavior::Tenant(update)),
    ("DELETE /organization/assets/{}", Behavior::Tenant(delete)),
    ("GET /organization/assets/labels/{}", Behavior::Read(labels)),
];

/// The fields of an asset that hold a label.
pub(crate) const CATEGORIES: [&str; 4] = ["manufacturer", "device_model", "device_type", "status"];

/// A piece of equipment; `labels` holds label ids in the order of the categories.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Asset {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) serial_number: Option<String>,
    pub(crate) space_id: Option<i64>,
    pub(crate) purchased_at: Option<String>,
    pub(crate) comments: Option<String>,
    pub(crate) icon_name: Option<String>,
    pub(crate) labels: [Option<String>; 4],
}

/// A value of a labelled field.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Label {
    pub(crate) id: String,
    pub(crate) category: &'static str,
    pub(crate) name: String,
}

impl Label {
    fn view(&self) -> Value {
        json!({ "id": self.id, "name": self.name })
    }
}

impl Tenant {
    fn asset_view(&self, asset: &Asset) -> Value {
        let mut view = json!({
            "id": asset.id,
            "name": asset.name,
            "serial_number": asset.serial_number,
            "space_id": asset.space_id,
            "purchased_at": asset.purchased_at,
            "comments": asset.comments,
            "icon_name": asset.icon_name,
        });
        for (category, label) in CATEGORIES.iter().zip(&asset.labels) {
            let label = label.as_ref().and_then(|id| self.labels.get(id));
            view[*category] = label.map_or(Value::Null, Label::view);
        }
        view
    }

    /// The asset with the request's fields set; nothing is stored yet.
    fn asset_with(&mut self, mut asset: Asset, ask: &Ask) -> Result<Asset, Refusal> {
        if let Some(name) = ask.body_text("name") {
            name.clone_into(&mut asset.name);
        }
        let texts = [
            (&mut asset.serial_number, "serial_number"),
            (&mut asset.purchased_at, "purchased_at"),
            (&mut asset.comments, "comments"),
            (&mut asset.icon_name, "icon_name"),
        ];
        for (target, member) in texts {
            if ask.body.contains_key(member) {
                *target = ask.body_text(member).map(str::to_owned);
            }
        }
        match ask.body.get("space_id") {
            Some(Value::Null) => asset.space_id = None,
            Some(_) => asset.space_id = Some(self.target_space(ask.body_integer("space_id"))?),
            None => {}
        }
        for (category, target) in CATEGORIES.into_iter().zip(&mut asset.labels) {
            if let Some(wanted) = ask.body.get(category) {
                *target = Some(self.label(category, wanted)?);
            }
        }
        Ok(asset)
    }

    /// The label that a text or an id names; a text that is new makes one.
    fn label(&mut self, category: &'static str, wanted: &Value) -> Result<String, Refusal> {
        let own = |label: &&Label| label.category == category;
        let Some(text) = wanted.as_str() else {
            let id = wanted.get("id").and_then(Value::as_str);
            let known = id.and_then(|id| self.labels.get(id)).filter(own);
            let known = known.map(|label| label.id.clone());
            return known.ok_or_else(|| Refusal::field(category, "is not a label of this field"));
        };
        let known = self.labels.iter().filter(own).find(|label| label.name == text);
        if let Some(known) = known {
            return Ok(known.id.clone());
        }
        let label = Label { id: self.mint.uuid(), category, name: text.to_owned() };
        let id = label.id.clone();
        self.labels.insert(id.clone(), label);
        Ok(id)
    }
}

fn list(ask: &Ask, tenant: &Tenant) -> Value {
    let rows = tenant.assets.iter().filter(|row| {
        ask.wants("name", Some(&row.name))
            && ask.wants("serial_number", row.serial_number.as_deref())
            && ask.wants_number("space_id", row.space_id)
    });
    ask.page.of(rows, |asset| tenant.asset_view(asset))
}

fn create(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let mut asset = tenant.asset_with(Asset::default(), ask)?;
    asset.id = tenant.mint.uuid();
    let view = tenant.asset_view(&asset);
    tenant.assets.insert(asset.id.clone(), asset);
    Ok(Answer::Json(view))
}

fn get(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let asset = tenant.assets.get(ask.id(0)).ok_or_else(Refusal::not_found)?;
    Ok(Answer::Json(tenant.asset_view(asset)))
}

/// Fields left out are kept; what the platform does with them is not documented.
fn update(ask: &Ask, tenant: &mut Tenant) -> Reply {
    let asset = tenant.assets.get(ask.id(0)).ok_or_else(Refusal::not_found)?.clone();
    let asset = tenant.asset_with(asset, ask)?;
    let view = tenant.asset_view(&asset);
    if let Some(row) = tenant.assets.get_mut(ask.id(0)) {
        *row = asset;
    }
    Ok(Answer::Json(view))
}

fn delete(ask: &Ask, tenant: &mut Tenant) -> Reply {
    tenant.assets.remove(ask.id(0)).ok_or_else(Refusal::not_found)?;
    Ok(Answer::Done)
}

fn labels(ask: &Ask, tenant: &Tenant) -> Value {
    let own = tenant.labels.iter().filter(|label| label.category == ask.id(0));
    json!({ "items": own.map(Label::view).collect::<Vec<_>>() })
}
