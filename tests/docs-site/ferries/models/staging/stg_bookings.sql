select
    booking_id,
    sailing_id,
    {{ tidy('passenger') }} as passenger,
    cast(price as decimal(10, 2)) as price,
    cast(booked_at as date) as booked_at,
    state
from {{ ref('bookings') }}
