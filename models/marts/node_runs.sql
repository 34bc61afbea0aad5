with executions as (

    select * from {{ ref('executions') }}
    where outcome != 'skipped'

),

numbered as (

    select
        *,
        row_number() over (
            partition by project_name, target, unique_id
            order by executions_back
        ) as runs_back
    from executions

),

last_runs as (

    select * from numbered
    where runs_back = 1

),

totals as (

    select
        project_name,
        target,
        unique_id,
        count(*) as runs,
        count(*) filter (where outcome = 'bad') as bad_runs,
        max(started_at) filter (where outcome = 'good') as last_good_at
    from numbered
    group by project_name, target, unique_id

),

-- The runs before the last one say what is usual.
usual as (

    select
        project_name,
        target,
        unique_id,
        median(duration_seconds) as usual_seconds,
        count(*) as compared_runs
    from numbered
    where runs_back between 2 and {{ var('trend_runs') }} + 1
        and outcome in ('good', 'warned')
    group by project_name, target, unique_id

),

trends as (

    select
        project_name,
        target,
        unique_id,
        -- Seconds that a run takes longer than the one before, on the whole.
        regr_slope(duration_seconds, -runs_back) as seconds_per_run
    from numbered
    where runs_back <= {{ var('trend_runs') }}
        and outcome in ('good', 'warned')
    group by project_name, target, unique_id
    having count(*) >= 3

)

select
    last_runs.project_name,
    last_runs.target,
    last_runs.unique_id,
    last_runs.resource_type,
    last_runs.node_name,
    last_runs.package_name,
    last_runs.original_file_path,
    last_runs.materialized,
    last_runs.invocation_id as last_invocation_id,
    last_runs.started_at as last_started_at,
    last_runs.status as last_status,
    last_runs.message as last_message,
    last_runs.duration_seconds as last_seconds,
    last_runs.rows_affected as last_rows_affected,
    totals.last_good_at,
    totals.runs,
    totals.bad_runs,
    coalesce(usual.compared_runs, 0) as compared_runs,
    usual.usual_seconds,
    round(last_runs.duration_seconds / nullif(usual.usual_seconds, 0), 2) as last_to_usual,
    round(trends.seconds_per_run, 6) as seconds_per_run,
    case
        when usual.compared_runs is null or usual.compared_runs < 3 then 'unknown'
        when last_runs.duration_seconds > 1.5 * usual.usual_seconds then 'slower'
        when last_runs.duration_seconds < usual.usual_seconds / 1.5 then 'faster'
        else 'steady'
    end as duration_trend
from last_runs
inner join totals using (project_name, target, unique_id)
left join usual using (project_name, target, unique_id)
left join trends using (project_name, target, unique_id)
