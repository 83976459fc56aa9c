"""What a model finds wrong with a value, as a sentence: by the type of pydantic's error."""

from collections.abc import Mapping
from typing import Any

from states.sentences import Sentence, said_by

# The templates of pydantic itself, without its plurals: in English its own message is told.
FAULTS: Mapping[str, Sentence] = {
    "missing": Sentence("Field required"),
    "extra_forbidden": Sentence("Extra inputs are not permitted"),
    "none_required": Sentence("Input should be None"),
    "string_type": Sentence("Input should be a valid string"),
    "string_too_short": Sentence("String should have at least {min_length} characters"),
    "string_too_long": Sentence("String should have at most {max_length} characters"),
    "string_pattern_mismatch": Sentence("String should match pattern '{pattern}'"),
    "string_unicode": Sentence("Input should be a valid string"),
    "int_type": Sentence("Input should be a valid integer"),
    "int_parsing": Sentence("Input should be a valid integer"),
    "int_parsing_size": Sentence("Input should be a valid integer"),
    "int_from_float": Sentence("Input should be a valid integer"),
    "float_type": Sentence("Input should be a valid number"),
    "float_parsing": Sentence("Input should be a valid number"),
    "finite_number": Sentence("Input should be a valid number"),
    "bool_type": Sentence("Input should be true or false"),
    "bool_parsing": Sentence("Input should be true or false"),
    "date_type": Sentence("Input should be a valid date"),
    "date_parsing": Sentence("Input should be a valid date"),
    "date_from_datetime_parsing": Sentence("Input should be a valid date"),
    "date_from_datetime_inexact": Sentence("Input should be a valid date"),
    "datetime_type": Sentence("Input should be a valid moment"),
    "datetime_parsing": Sentence("Input should be a valid moment"),
    "datetime_from_date_parsing": Sentence("Input should be a valid moment"),
    "datetime_object_invalid": Sentence("Input should be a valid moment"),
    "timezone_aware": Sentence("Input should have timezone info"),
    "list_type": Sentence("Input should be a valid list"),
    "tuple_type": Sentence("Input should be a valid list"),
    "set_type": Sentence("Input should be a valid list"),
    "too_short": Sentence("A list should have at least {min_length} items, not {actual_length}"),
    "too_long": Sentence("A list should have at most {max_length} items, not {actual_length}"),
    "dict_type": Sentence("Input should be a valid object"),
    "model_type": Sentence("Input should be a valid object"),
    "model_attributes_type": Sentence("Input should be a valid object"),
    "enum": Sentence("Input should be {expected}"),
    "literal_error": Sentence("Input should be {expected}"),
    "union_tag_invalid": Sentence("Input should be {expected_tags}"),
    "greater_than": Sentence("Input should be greater than {gt}"),
    "greater_than_equal": Sentence("Input should be greater than or equal to {ge}"),
    "less_than": Sentence("Input should be less than {lt}"),
    "less_than_equal": Sentence("Input should be less than or equal to {le}"),
    "json_invalid": Sentence("JSON decode error"),
    "value_error": Sentence("Value error, {error}"),
}


# What the web framework says of a body before any model sees it.
BODY = Sentence("There was an error parsing the body")


def fault(found: Mapping[str, Any]) -> Sentence:
    """An item of pydantic's `errors()` as a sentence; in English it is what pydantic says."""
    english = str(found["msg"])
    if found["type"] not in FAULTS:
        return Sentence(english)
    values = {name: _told(value) for name, value in found.get("ctx", {}).items()}
    return Sentence.written(english, FAULTS[found["type"]].template, values)


def _told(value: Any) -> Any:
    if isinstance(value, Exception):
        return said_by(value)
    some, either, one = str(value).rpartition(" or ")
    return Sentence("{some} or {one}", some=some, one=one) if either else value
