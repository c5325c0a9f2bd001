//! `/v1/statistics`.

use axum::Json;
use axum::extract::State;

use crate::problem::Problem;
use crate::request::{Admin, As, Filtered, StatisticsParams};
use crate::state::ApiState;
use crate::wire::statistics::{StatisticsBody, StatisticsWindow};

/// See what happened lately
///
/// How often over all users, by the minute for an hour or by the quarter of an hour for a day, from
/// what the answering node has applied.
#[utoipa::path(
    get, path = "/v1/statistics", operation_id = "getStatistics", tag = "Statistics",
    params(StatisticsParams),
    responses((status = 200, description = "What was counted", body = StatisticsBody))
)]
pub(crate) async fn read(
    State(api): State<ApiState>,
    who: As<Admin>,
    Filtered(window): Filtered<StatisticsWindow>,
) -> Result<Json<StatisticsBody>, Problem> {
    let statistics = api.gateway.statistics(who.tenant, window.into()).await?;
    Ok(Json(statistics.into()))
}
