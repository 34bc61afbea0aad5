with visits as (

    select
        guest_id,
        count(*) as orders,
        sum(amount) as spent,
        min(ordered_at) as first_order_at,
        max(ordered_at) as last_order_at,
        mode(kiosk_id order by kiosk_id) as favourite_kiosk_id
    from {{ ref('orders') }}
    where is_sale
        and guest_id is not null
    group by guest_id

)

select
    guests.guest_id,
    guests.full_name,
    guests.email,
    guests.joined_on,
    coalesce(guests.wants_newsletter, false) as wants_newsletter,
    coalesce(visits.orders, 0) as orders,
    coalesce(visits.spent, 0) as spent,
    visits.first_order_at,
    visits.last_order_at,
    kiosks.kiosk_name as favourite_kiosk,
    case
        when visits.orders >= 5 then 'regular'
        when visits.orders >= 1 then 'occasional'
        else 'never came'
    end as loyalty
from {{ ref('stg_guests') }} as guests
left join visits using (guest_id)
left join {{ ref('stg_kiosks') }} as kiosks
    on kiosks.kiosk_id = visits.favourite_kiosk_id
