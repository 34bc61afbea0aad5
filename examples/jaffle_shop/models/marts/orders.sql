{{
    config(
        materialized='incremental',
        unique_key='order_id',
        on_schema_change='append_new_columns'
    )
}}

select
    orders.order_id,
    orders.guest_id,
    orders.kiosk_id,
    orders.ordered_at,
    orders.status,
    orders.status = 'done' as is_sale,
    orders.paid_by,
    amounts.lines,
    amounts.pieces,
    amounts.amount,
    amounts.jaffle_amount,
    amounts.drink_amount,
    amounts.side_amount
from {{ ref('stg_orders') }} as orders
inner join {{ ref('int_order_amounts') }} as amounts using (order_id)

{% if is_incremental() %}
where orders.ordered_at >= (
    select max(seen.ordered_at) - interval '{{ var("late_order_days") }} days'
    from {{ this }} as seen
)
{% endif %}
