with totals as (

    select
        (select sum(amount) from {{ ref('menu_sales') }}) as by_item,
        (select sum(sales) from {{ ref('kiosk_months') }}) as by_month

)

select *
from totals
where by_item is distinct from by_month
