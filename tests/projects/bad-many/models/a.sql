select {{ ref( }}
