select
    staff_id,
    first_name,
    kiosk_id,
    {{ to_amount('hourly_wage') }} as hourly_wage
from {{ source('roster', 'staff') }}
