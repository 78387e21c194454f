"""What does a result depend on? Values, owners, arguments and code, as text that is the same in every process.

`canonical` gives the text of a value, `find_describer` the way in which an owner tells its parameters, `Arguments`
binds a call to its signature, `code_of_method` the version of a method's code, and `Key` joins all of these to the full
key of a result, which names its file. Nothing here stores anything, or knows what is stored.
"""

from stored._keys import canonical_numpy, canonical_objects, canonical_registered  # noqa: F401  (they add their types to canonical text)
from stored._keys.arguments import Arguments
from stored._keys.attributes import attributes_of, instance_dict, own_values
from stored._keys.call_signature import VARIADIC
from stored._keys.canonical import canonical, digest, text_or_none
from stored._keys.change_key import (
    MOST_BYTES,
    change_key,
    comparable,
    copy_of_array,
    hashable_part,
    lasting,
    with_copies_of_arrays,
)
from stored._keys.class_memos import PartMemos, parts_of
from stored._keys.class_watch import add_tests_of_member
from stored._keys.code_check import InlineCheck, InlineTests
from stored._keys.code_facts import code_facts
from stored._keys.code_graph import CodeState, collected_states
from stored._keys.code_listing import Listing, code_listing, code_places, constants_of
from stored._keys.contents import marshalled
from stored._keys.distributions import installed_version
from stored._keys.draws import DRAWING, Draws
from stored._keys.file_facts import load_facts_by, unsaved_facts
from stored._keys.filled_memos import filled_memos, holds_something, is_fixed
from stored._keys.function_caches import CachesInUse, caches_behind, states_behind
from stored._keys.function_parameters import FunctionParameters
from stored._keys.function_tree import adopt_sources, sources_of
from stored._keys.identity import number_text, object_number
from stored._keys.ignored_names import Ignored, ignored_by, note_ignored
from stored._keys.immutable_values import NUMBERS_AND_TEXTS, PLAIN_TYPES, has_nan, immutable_key, is_immutable
from stored._keys.keyed_by import keyed_by
from stored._keys.libraries import find_by_name, is_of_main
from stored._keys.method_reads import Memo, MethodReads, Selection, method_reads
from stored._keys.object_parts import is_plain_member
from stored._keys.owner_parameters import FieldParameters, find_describer
from stored._keys.owner_protocols import Described, Describer, OwnerParameters
from stored._keys.parameter_names import checked_string, converters, parameter_names, tells_by_get_params
from stored._keys.qualified_names import module_name, qualified_name
from stored._keys.reached_values import reached_values
from stored._keys.result_key import (
    Key,
    Pairs,
    PrivateSpace,
    Space,
    method_folder,
    method_part,
    module_folder,
    owner_part,
    space_of,
)
from stored._keys.sent_main import (
    MAIN,
    MainModule,
    adopt_main,
    found_in_sent_main,
    has_sent_functions,
    main_module,
    main_of,
    names_token,
    note_sent_function,
)
from stored._keys.unchanged import (
    ATOMIC_SET,
    SAME_CLASS_TEST,
    USER_ATTRIBUTES,
    TestScope,
    UnchangedCheck,
    compile_check,
    compile_rebinding,
    is_attribute_name,
    no_storage_user_checks,
)
from stored._keys.unstable_values import UnstableValueError
from stored._keys.uses import Uses, note_uses
from stored._keys.value_tests import steady_values
from stored._keys.version import OwnerParts, StoredCode, code_of_method, seeds_in

__all__ = [
    "ATOMIC_SET",
    "DRAWING",
    "MAIN",
    "MOST_BYTES",
    "NUMBERS_AND_TEXTS",
    "PLAIN_TYPES",
    "SAME_CLASS_TEST",
    "USER_ATTRIBUTES",
    "VARIADIC",
    "Arguments",
    "CachesInUse",
    "CodeState",
    "Described",
    "Describer",
    "Draws",
    "FieldParameters",
    "FunctionParameters",
    "Ignored",
    "InlineCheck",
    "InlineTests",
    "Key",
    "Listing",
    "MainModule",
    "Memo",
    "MethodReads",
    "OwnerParameters",
    "OwnerParts",
    "Pairs",
    "PartMemos",
    "PrivateSpace",
    "Selection",
    "Space",
    "StoredCode",
    "TestScope",
    "UnchangedCheck",
    "UnstableValueError",
    "Uses",
    "add_tests_of_member",
    "adopt_main",
    "adopt_sources",
    "attributes_of",
    "caches_behind",
    "canonical",
    "change_key",
    "checked_string",
    "code_facts",
    "code_listing",
    "code_of_method",
    "code_places",
    "collected_states",
    "comparable",
    "compile_check",
    "compile_rebinding",
    "constants_of",
    "converters",
    "copy_of_array",
    "digest",
    "filled_memos",
    "find_by_name",
    "find_describer",
    "found_in_sent_main",
    "has_nan",
    "has_sent_functions",
    "hashable_part",
    "holds_something",
    "ignored_by",
    "immutable_key",
    "installed_version",
    "instance_dict",
    "is_attribute_name",
    "is_fixed",
    "is_immutable",
    "is_of_main",
    "is_plain_member",
    "keyed_by",
    "lasting",
    "load_facts_by",
    "main_module",
    "main_of",
    "marshalled",
    "method_folder",
    "method_part",
    "method_reads",
    "module_folder",
    "module_name",
    "names_token",
    "no_storage_user_checks",
    "note_ignored",
    "note_sent_function",
    "note_uses",
    "number_text",
    "object_number",
    "own_values",
    "owner_part",
    "parameter_names",
    "parts_of",
    "qualified_name",
    "reached_values",
    "seeds_in",
    "sources_of",
    "space_of",
    "states_behind",
    "steady_values",
    "tells_by_get_params",
    "text_or_none",
    "unsaved_facts",
    "with_copies_of_arrays",
]
