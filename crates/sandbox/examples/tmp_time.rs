use std::time::Instant;
use tower::ServiceExt;
use axum::{body::Body, http::Request};
#[tokio::main]
async fn main() {
    let doc = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    for s in ["baseline","small","empty"] { let t = Instant::now(); let _x = xyte_mcp_sandbox::Sandbox::new(&doc, 1, s).unwrap(); eprintln!("new {s} {:?}", t.elapsed()); }
    let x = xyte_mcp_sandbox::Sandbox::new(&doc, 1, "baseline").unwrap();
    let r = x.router();
    for (k,p) in [("A","devices?page=2"),("A","devices/5b0c8c1e-6f0a-4a51-9d3c-0c5f2f1b7a10"),("A","incidents?from=0&per_page=500"),("A","devices/histories?per_page=1000"),("A","spaces?path_includes=TLV"),("A","tickets"),("A","info"),("P","../partner/devices")] {
        let key = if k=="A" {"sandbox-key-A-northwind-organization"} else {"sandbox-key-P-contoso-partner-vendor"};
        let uri = if k=="A" {format!("/core/v1/organization/{p}")} else {"/core/v1/partner/devices".into()};
        let t = Instant::now();
        let mut len=0;
        for _ in 0..20 { let q = Request::get(&uri).header("Authorization", key).body(Body::empty()).unwrap();
        let a = r.clone().oneshot(q).await.unwrap(); assert!(a.status().is_success(), "{uri} {}", a.status()); len = axum::body::to_bytes(a.into_body(), usize::MAX).await.unwrap().len(); }
        eprintln!("{p} {:?} each, {len} bytes", t.elapsed()/20);
    }
    let d: serde_json::Value = serde_json::from_str(&doc).unwrap();
    eprintln!("{} paths", d["paths"].as_object().unwrap().len());
}
