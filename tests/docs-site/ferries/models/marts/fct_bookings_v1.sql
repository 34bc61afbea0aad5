select booking_id, price from {{ ref('stg_bookings') }}
