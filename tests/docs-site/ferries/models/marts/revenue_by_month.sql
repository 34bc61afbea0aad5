select cast(date_trunc('month', booked_at) as date) as month, sum(revenue) as revenue, count(*) as bookings
from {{ ref('fct_bookings') }}
group by 1
