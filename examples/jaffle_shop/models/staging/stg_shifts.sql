select
    shift_id,
    staff_id,
    cast(worked_on as date) as worked_on,
    cast(worked_on || ' ' || begins_at as timestamp) as begins_at,
    hours
from {{ source('roster', 'shifts') }}
