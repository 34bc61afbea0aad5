with tidied as (

    select
        guest_id,
        {{ title_case('full_name') }} as full_name,
        lower({{ tidy('email') }}) as email,
        {{ to_day('joined_on') }} as joined_on,
        {{ to_flag('newsletter') }} as wants_newsletter
    from {{ ref('raw_guests') }}

)

select *
from tidied
-- Some guests were entered twice; an answer about the newsletter beats none.
qualify row_number() over (
    partition by guest_id
    order by wants_newsletter desc nulls last, full_name
) = 1
