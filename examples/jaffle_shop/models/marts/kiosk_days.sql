with sales as (

    select
        kiosk_id,
        ordered_at::date as day,
        count(*) as orders,
        sum(amount) as sales
    from {{ ref('orders') }}
    where is_sale
    group by kiosk_id, ordered_at::date

),

labour as (

    select
        kiosk_id,
        worked_on as day,
        sum(hours) as hours,
        sum(wages) as wages
    from {{ ref('int_shift_costs') }}
    group by kiosk_id, worked_on

)

select
    kiosk_id,
    day,
    coalesce(sales.orders, 0) as orders,
    coalesce(sales.sales, 0) as sales,
    coalesce(labour.hours, 0) as hours,
    coalesce(labour.wages, 0) as wages,
    coalesce(sales.sales, 0) - coalesce(labour.wages, 0) as margin
from sales
full join labour using (kiosk_id, day)
