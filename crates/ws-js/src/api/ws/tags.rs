//! The tags of a session's samples: frozen when it begins, completed once by the handshake.

use std::net::SocketAddr;

use ws_metrics::{SystemTag, TagSetId};
use ws_proto::UpgradeResponse;

use crate::shared::Shared;

/// Adds what the handshake has shown. System tags win over tags of the same name from `params.tags`, and are
/// written only if they are enabled.
pub(in crate::api) fn complete(
    shared: &Shared,
    base: TagSetId,
    url: Option<&str>,
    response: Option<&UpgradeResponse>,
    peer: Option<SocketAddr>,
) -> TagSetId {
    let enabled = |tag| shared.settings.system_tags.has(tag);
    let mut tags = base;
    if let Some(url) = url
        && enabled(SystemTag::Url)
    {
        tags = shared.tag_sets.with(tags, "url", &shared.presentable(url));
    }
    if let Some(response) = response {
        if enabled(SystemTag::Status) {
            tags = shared.tag_sets.with(tags, "status", &response.status.to_string());
        }
        if enabled(SystemTag::Subproto) {
            let chosen = response.headers.joined("Sec-Websocket-Protocol").unwrap_or_default();
            tags = shared.tag_sets.with(tags, "subproto", &chosen);
        }
    }
    if let Some(peer) = peer
        && enabled(SystemTag::Ip)
    {
        tags = shared.tag_sets.with(tags, "ip", &peer.ip().to_string());
    }
    tags
}
