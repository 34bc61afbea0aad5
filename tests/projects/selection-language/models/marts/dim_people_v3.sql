select * from {{ ref('customers') }} cross join {{ ref('calendar') }}
