select
    kiosk_id,
    {{ title_case('kiosk') }} as kiosk_name,
    {{ title_case('town') }} as town,
    opened_on,
    try_cast(seats as integer) as seats
from {{ ref('raw_kiosks') }}
