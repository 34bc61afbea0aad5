with sold as (

    select
        lines.sku,
        sum(lines.quantity) as pieces,
        sum(lines.amount) as amount
    from {{ ref('int_order_line_amounts') }} as lines
    inner join {{ ref('orders') }} as orders using (order_id)
    where orders.is_sale
    group by lines.sku

)

select
    items.sku,
    items.item_name,
    items.item_kind,
    items.price,
    items.is_vegetarian,
    coalesce(sold.pieces, 0) as pieces,
    coalesce(sold.amount, 0) as amount,
    rank() over (order by coalesce(sold.amount, 0) desc) as place
from {{ ref('stg_menu_items') }} as items
left join sold using (sku)
