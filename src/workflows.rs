//! The computed tools: questions about a whole fleet, each in a file of its own. They know no transport and no HTTP.

mod answer;
mod bulk;
mod bulk_command;
mod bulk_incidents;
mod bulk_report;
mod bulk_tickets;
mod bulk_update;
pub(crate) mod command;
mod device;
mod device_organization;
mod expiry_report;
mod find;
mod fleet;
mod fleet_health;
mod get_device_analytics_report;
mod history;
mod incident_triage;
mod meant;
pub(crate) mod named;
mod offer;
mod pattern;
mod period;
mod preset;
mod room_status;
mod search_device_histories;
mod space;
mod ticket_triage;
mod timeline;
mod user;

use xyte_mcp_runtime::dispatch::desk::{Computed, Desk};
use xyte_mcp_runtime::failure::Failure;

use crate::generated::workflows::{
    BulkCommand, BulkReport, BulkResolveTickets, BulkResumeIncidents, BulkSuspendIncidents,
    BulkUpdateDevices, ExpiryReport, Find, FleetHealth, GetDeviceAnalyticsReport,
    GetDeviceOrganization, GetUserPreferences, IncidentTriage, ListUserDevices, RoomStatus,
    SearchDeviceHistories, ShutdownMeetingRoom, StartMeetingRoomPreset, TicketTriage, Workflows,
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

    async fn get_device_organization(
        &self,
        desk: &Desk<'_>,
        arguments: GetDeviceOrganization,
    ) -> Result<Computed, Failure> {
        device_organization::compute(desk, arguments).await
    }

    async fn get_user_preferences(
        &self,
        _: &Desk<'_>,
        arguments: GetUserPreferences,
    ) -> Result<Computed, Failure> {
        Ok(user::preferences(arguments))
    }

    async fn list_user_devices(
        &self,
        desk: &Desk<'_>,
        arguments: ListUserDevices,
    ) -> Result<Computed, Failure> {
        user::devices(desk, arguments).await
    }

    async fn search_device_histories(
        &self,
        desk: &Desk<'_>,
        arguments: SearchDeviceHistories,
    ) -> Result<Computed, Failure> {
        Box::pin(search_device_histories::compute(desk, arguments)).await
    }

    async fn get_device_analytics_report(
        &self,
        desk: &Desk<'_>,
        arguments: GetDeviceAnalyticsReport,
    ) -> Result<Computed, Failure> {
        Box::pin(get_device_analytics_report::compute(desk, arguments)).await
    }

    async fn incident_triage(
        &self,
        desk: &Desk<'_>,
        arguments: IncidentTriage,
    ) -> Result<Computed, Failure> {
        Box::pin(incident_triage::compute(desk, arguments)).await
    }

    async fn ticket_triage(
        &self,
        desk: &Desk<'_>,
        arguments: TicketTriage,
    ) -> Result<Computed, Failure> {
        Box::pin(ticket_triage::compute(desk, arguments)).await
    }
}
