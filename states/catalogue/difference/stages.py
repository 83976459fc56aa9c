"""The keys of a stage, and how a change of each is told."""

from states.catalogue.difference import values
from states.catalogue.difference.rules import name
from states.catalogue.difference.telling import Fields, Rows, Value, always, becomes, goes

CONSULTATION: Fields = {
    "term": Value(
        ("Thời hạn trả lời ý kiến của {of}", "The time for the opinion of {of}"),
        values.length,
        goes,
    ),
    "about": name("Nội dung lấy ý kiến {of}", "The subject of the opinion of {of}"),
}

STAGE: Fields = {
    "name": name("Tên bước {of}", "The name of stage {of}"),
    "unit": Value(
        ("Bước {of}", "Stage {of}"),
        values.unit,
        always("{thing} chuyển từ {old} sang {new}.", "{thing} moves from {old} to {new}."),
        absent=("hàng chờ của cơ quan", "the agency's queue"),
    ),
    "routes": Rows(
        named=values.routed,
        added=(
            "Bước {of} có thêm quy tắc phân công, xếp {nth}: {item}.",
            "Stage {of} has a new rule of who gets it, {nth}: {item}.",
        ),
        removed=(
            "Bước {of} bỏ quy tắc phân công: {item}.",
            "Stage {of} no longer has the rule of who gets it: {item}.",
        ),
        order=(
            "Thứ tự quy tắc phân công tại bước {of}",
            "The order of the rules of who gets stage {of}",
        ),
    ),
    "role": Value(("Người thực hiện bước {of}", "Who does stage {of}"), values.word),
    "term": Value(("Thời hạn của bước {of}", "The term of stage {of}"), values.length, goes),
    "next": Value(
        say=values.ways,
        sentence=always(
            "Từ bước {of}, hồ sơ nay được chuyển tiếp đến {new}; trước đây đến {old}.",
            "From stage {of} a dossier now goes on to {new}; before, to {old}.",
        ),
        absent=(
            "bước liền sau, sau bước cuối là khâu trả kết quả",
            "the one below, after the last the result",
        ),
    ),
    "returns": Value(
        say=values.ways,
        sentence=always(
            "Từ bước {of}, hồ sơ nay được trả lại: {new}; trước đây: {old}.",
            "From stage {of} a dossier may now be sent back to {new}; before, to {old}.",
        ),
        absent=("mọi bước đứng trước", "any above it"),
    ),
    "needs": Rows(
        named=values.paper,
        added=(
            "Để bắt đầu bước {of} nay phải có {item}.",
            "Stage {of} now begins only when {item} is there.",
        ),
        removed=(
            "Để bắt đầu bước {of} không còn cần {item}.",
            "Stage {of} no longer needs {item} to begin.",
        ),
        order=(
            "Thứ tự danh mục cần có khi bắt đầu bước {of}",
            "The order of what stage {of} needs to begin",
        ),
    ),
    "produces": Rows(
        named=values.paper,
        added=(
            "Để kết thúc bước {of} nay phải có {item}.",
            "Stage {of} must now produce {item} before it ends.",
        ),
        removed=(
            "Để kết thúc bước {of} không còn cần {item}.",
            "Stage {of} need no longer produce {item}.",
        ),
        order=(
            "Thứ tự danh mục cần có khi kết thúc bước {of}",
            "The order of what stage {of} must produce",
        ),
    ),
    "consults": Rows(
        keys=("unit",),
        named=lambda each, whole: values.unit(each.unit),
        told=values.consultation,
        of=("{item} tại bước {of}", "{item} at stage {of}"),
        fields=CONSULTATION,
        added=(
            "Tại bước {of} nay lấy thêm ý kiến {item}: {told}.",
            "At stage {of} the opinion of {item} is now asked for: {told}.",
        ),
        removed=(
            "Tại bước {of} không còn lấy ý kiến {item}.",
            "At stage {of} the opinion of {item} is no longer asked for.",
        ),
        order=(
            "Thứ tự đơn vị được lấy ý kiến tại bước {of}",
            "The order of the units asked at stage {of}",
        ),
    ),
    "accept": Value(
        sentence=becomes(
            {
                "manual": (
                    "Hồ sơ đến bước {of} nay do người xử lý nhận.",
                    "At stage {of} a dossier is now taken in by a person.",
                ),
                "auto": (
                    "Hồ sơ đến bước {of} nay được nhận tự động.",
                    "At stage {of} a dossier is now taken in by itself.",
                ),
            }
        ),
    ),
}
