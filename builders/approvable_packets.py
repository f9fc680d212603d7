"""Puts beside each approved packet what it is now, and lists every place that has changed since it was approved."""

from collections.abc import Mapping
from typing import Any

from quantassay.domain.approvals.changes import changes
from quantassay.domain.calibration.digest import digest

# So many are listed of one packet; `changed` counts them all.
MOST_LISTED = 100
_PACKETS = ["next_open_plan:", "calibration_approval_list:", "snapshot_admin_approval_packet:"]
ORIGINS = {
    "/packets/*/content": _PACKETS,
    "/copies/*/changed": ["approved_packets:/{approval}/content", *_PACKETS],
    "/copies/*/changes/*/place": ["approved_packets:/{approval}/content", *_PACKETS],
    "/copies/*/changes/*/before": ["approved_packets:/{approval}/content"],
    "/copies/*/changes/*/after": _PACKETS,
}


def build(
    approved_packets: dict[str, Any],
    next_open_plan: dict[str, Any],
    calibration_approval_list: dict[str, Any],
    snapshot_admin_approval_packet: dict[str, Any],
) -> dict[str, Any]:
    """The digest of each packet that can be approved, and for each approval what was kept and what differs from it."""
    packets = {
        "next_open_plan": next_open_plan,
        "calibration_approval_list": calibration_approval_list,
        "snapshot_admin_approval_packet": snapshot_admin_approval_packet,
    }
    return {
        "environment": next_open_plan["account"]["environment"],
        "packets": [{"name": name, "content": digest(data)} for name, data in packets.items()],
        "copies": [_copy(approval, kept, packets) for approval, kept in sorted(approved_packets.items())],
    }


def _copy(approval: str, kept: Mapping[str, Any], packets: Mapping[str, Any]) -> dict[str, Any]:
    content = kept["content"]
    comparable = content is not None and kept["name"] in packets
    found = changes(content, packets[kept["name"]]) if comparable else []
    return {
        "approval": approval,
        "content": None if content is None else digest(content),
        "signature": kept["signature"],
        "changed": len(found),
        "changes": [
            {"place": change.place, "before": change.before, "after": change.after} for change in found[:MOST_LISTED]
        ],
    }
