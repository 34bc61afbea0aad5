{{ config(materialized='incremental', unique_key='booking_id', on_schema_change='append_new_columns') }}

with bookings as (
    select * from {{ ref('stg_bookings') }}
    {% if is_incremental() %}
    where booked_at >= (select max(booked_at) - interval 3 day from {{ this }})
    {% endif %}
)
select
    bookings.booking_id,
    bookings.sailing_id,
    bookings.passenger,
    bookings.booked_at,
    cast(case when bookings.state = 'paid' then bookings.price else 0 end as decimal(10, 2)) as revenue, -- cancelled bookings never count
    sailings.ship
from bookings
join {{ ref('sailings') }} as sailings using (sailing_id)
