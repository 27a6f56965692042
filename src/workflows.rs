//! The computed tools: questions about a whole fleet, each in a file of its own. They know no transport and no HTTP.

mod bulk;
mod bulk_command;
mod bulk_incidents;
mod bulk_report;
mod bulk_tickets;
mod bulk_update;
pub(crate) mod command;
mod expiry_report;
mod find;
mod fleet;
mod fleet_health;
mod offer;
mod pattern;
mod preset;
mod room_status;
mod space;

use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;

use crate::generated::workflows::{
    BulkCommand, BulkReport, BulkResolveTickets, BulkResumeIncidents, BulkSuspendIncidents,
    BulkUpdateDevices, ExpiryReport, Find, FleetHealth, RoomStatus, ShutdownMeetingRoom,
    StartMeetingRoomPreset, Workflows,
};
use crate::presets::Presets;

/// What is computed over the platform's operations.
#[derive(Debug)]
pub(crate) struct Fleet {
    /// What can be run in a room.
    pub(crate) presets: Presets,
}

impl Workflows for Fleet {
    async fn fleet_health(
        &self,
        desk: &Desk<'_>,
        arguments: FleetHealth,
    ) -> Result<Computed, Failure> {
        Box::pin(fleet_health::compute(desk, arguments)).await
    }

    async fn find(&self, desk: &Desk<'_>, arguments: Find) -> Result<Computed, Failure> {
        Box::pin(find::compute(desk, arguments)).await
    }

    async fn room_status(
        &self,
        desk: &Desk<'_>,
        arguments: RoomStatus,
    ) -> Result<Computed, Failure> {
        Box::pin(room_status::compute(desk, arguments)).await
    }

    async fn bulk_command(
        &self,
        desk: &Desk<'_>,
        arguments: BulkCommand,
    ) -> Result<Computed, Failure> {
        Box::pin(bulk_command::compute(desk, arguments)).await
    }

    async fn bulk_suspend_incidents(
        &self,
        desk: &Desk<'_>,
        arguments: BulkSuspendIncidents,
    ) -> Result<Computed, Failure> {
        Box::pin(bulk_incidents::suspend(desk, arguments)).await
    }

    async fn bulk_resume_incidents(
        &self,
        desk: &Desk<'_>,
        arguments: BulkResumeIncidents,
    ) -> Result<Computed, Failure> {
        Box::pin(bulk_incidents::resume(desk, arguments)).await
    }

    async fn bulk_resolve_tickets(
        &self,
        desk: &Desk<'_>,
        arguments: BulkResolveTickets,
    ) -> Result<Computed, Failure> {
        Box::pin(bulk_tickets::compute(desk, arguments)).await
    }

    async fn bulk_update_devices(
        &self,
        desk: &Desk<'_>,
        arguments: BulkUpdateDevices,
    ) -> Result<Computed, Failure> {
        Box::pin(bulk_update::compute(desk, arguments)).await
    }

    async fn bulk_report(
        &self,
        desk: &Desk<'_>,
        arguments: BulkReport,
    ) -> Result<Computed, Failure> {
        Box::pin(bulk_report::compute(desk, arguments)).await
    }

    async fn start_meeting_room_preset(
        &self,
        desk: &Desk<'_>,
        arguments: StartMeetingRoomPreset,
    ) -> Result<Computed, Failure> {
        Box::pin(preset::start(desk, &self.presets, arguments)).await
    }

    async fn shutdown_meeting_room(
        &self,
        desk: &Desk<'_>,
        arguments: ShutdownMeetingRoom,
    ) -> Result<Computed, Failure> {
        Box::pin(preset::shutdown(desk, &self.presets, arguments)).await
    }

    async fn expiry_report(
        &self,
        desk: &Desk<'_>,
        arguments: ExpiryReport,
    ) -> Result<Computed, Failure> {
        expiry_report::compute(desk, arguments).await
    }
}
