"""Tables, figures, pages and workbooks made of a study result; nothing is computed here anew."""

from gridimpact.report import figures
from gridimpact.report.choice import Choice, choose
from gridimpact.report.excel import csv_safe, write_excel
from gridimpact.report.frames import summary_frame
from gridimpact.report.hosting_html import write_hosting_html
from gridimpact.report.hosting_tables import hosting_summary, repr_html_scan_result, text_summary
from gridimpact.report.html import write_html
from gridimpact.report.html_reprs import (
    repr_html_assessment,
    repr_html_dispatch,
    repr_html_fleet,
    repr_html_flow_result,
    repr_html_network,
    repr_html_profiles,
    repr_html_study_result,
)
from gridimpact.report.tables import comparison_table, text_table
from gridimpact.report.violations import violations_frame
from gridimpact.report.words import Answer, answer

__all__ = [
    "Answer",
    "Choice",
    "answer",
    "choose",
    "comparison_table",
    "csv_safe",
    "figures",
    "hosting_summary",
    "repr_html_assessment",
    "repr_html_dispatch",
    "repr_html_fleet",
    "repr_html_flow_result",
    "repr_html_network",
    "repr_html_profiles",
    "repr_html_scan_result",
    "repr_html_study_result",
    "summary_frame",
    "text_summary",
    "text_table",
    "violations_frame",
    "write_excel",
    "write_hosting_html",
    "write_html",
]
