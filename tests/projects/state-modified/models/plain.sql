select id from {{ ref('numbers') }} limit {{ var('limit') }}
