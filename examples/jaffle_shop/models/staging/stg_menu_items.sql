select
    upper({{ tidy('sku') }}) as sku,
    {{ tidy('title') }} as item_name,
    lower({{ tidy('kind') }}) as item_kind,
    {{ to_amount('price') }} as price,
    {{ to_flag('vegetarian') }} as is_vegetarian
from {{ ref('raw_menu') }}
