select * from (select sum(revenue) as by_month from {{ ref('revenue_by_month') }}) as a,
    (select sum(revenue) as by_booking from {{ ref('fct_bookings') }}) as b
where by_month <> by_booking
