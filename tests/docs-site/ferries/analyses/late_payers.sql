-- Who booked long ago and has not paid.
select passenger, booked_at from {{ ref('stg_bookings') }} where state = 'open' order by booked_at
