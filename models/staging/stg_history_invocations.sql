with lines as (

    select * from {{ ref('stg_history_lines') }}
    where schema_version = 1

),

begun as (

    select
        invocation_id,
        started_at,
        command,
        project_name,
        coalesce(target, 'unknown') as target,
        threads,
        lineal_version,
        file_name
    from lines
    where kind = 'invocation'
    -- A file that was copied would count twice.
    qualify row_number() over (partition by invocation_id order by file_name) = 1

),

ended as (

    select
        invocation_id,
        max(completed_at) as completed_at,
        max(elapsed) as elapsed_seconds,
        bool_and(success) as is_success,
        bool_or(interrupted) as is_interrupted
    from lines
    where kind = 'end'
    group by invocation_id

)

select
    begun.invocation_id,
    begun.project_name,
    begun.command,
    begun.target,
    begun.threads,
    begun.lineal_version,
    begun.started_at,
    ended.completed_at,
    ended.elapsed_seconds,
    ended.is_success,
    coalesce(ended.is_interrupted, false) as is_interrupted,
    ended.invocation_id is not null as is_finished
from begun
left join ended using (invocation_id)
