select
    kiosks.kiosk_id,
    kiosks.kiosk_name,
    kiosks.town,
    {{ dbt.date_trunc('month', 'days.day') }}::date as month,
    sum(days.orders) as orders,
    sum(days.sales) as sales,
    sum(days.wages) as wages,
    sum(days.margin) as margin
from {{ ref('kiosk_days') }} as days
inner join {{ ref('stg_kiosks') }} as kiosks using (kiosk_id)
group by all
