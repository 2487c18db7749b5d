"""Each defect found by reading the reference system, and the tests that show it gone here.

`where` is the section and number of `reference-system.md`. A row whose part is not built yet names the
file or folder that the part will be; `tests/unit/test_defects.py` fails once that is there.
"""

from __future__ import annotations

from dataclasses import dataclass

AGENT_REQUESTS = "tests/unit/orchestrator/lifecycle/test_agent_requests.py"
ANNOUNCER = "tests/unit/orchestrator/lifecycle/test_announcer.py"
DECIDE = "tests/unit/orchestrator/lifecycle/test_decide.py"
END = "tests/unit/orchestrator/lifecycle/test_end.py"
FLEET = "tests/unit/orchestrator/lifecycle/test_fleet.py"
FORGE = "tests/unit/orchestrator/lifecycle/test_forge.py"
REACT = "tests/unit/orchestrator/lifecycle/test_react.py"
REACT_WORDS = "tests/unit/orchestrator/lifecycle/test_react_words.py"
ROUNDS = "tests/unit/orchestrator/lifecycle/test_rounds.py"
SETUP = "tests/unit/orchestrator/lifecycle/test_setup.py"
SPEAK = "tests/unit/orchestrator/lifecycle/test_speak.py"
STATUS = "tests/unit/orchestrator/lifecycle/test_status.py"
TRANSITIONS = "tests/unit/orchestrator/lifecycle/test_transitions.py"
SERVICES = "tests/unit/orchestrator/services"
SETTINGS = "tests/unit/orchestrator/settings"
LOCK = "tests/unit/orchestrator/storage/test_lock.py::test_the_second_writer_is_told_who_the_first_one_is"
ROUTING = "tests/unit/orchestrator/attention/test_routing.py"
CONTRACTS = "tests/contracts"
WORKTREE = "tests/contracts/test_workspace_worktree.py::TestWorktree"
CONSOLE = "tests/integration/test_console.py"
GITHUB = "tests/unit/plugins/_shared/github"
SERVER = "tests/unit/bot/frontends/api/test_server.py"


@dataclass(frozen=True, slots=True)
class Defect:
    """One row."""

    where: str
    what: str
    tests: tuple[str, ...] = ()
    """Node ids; without parameters."""
    not_built: str = ""
    """Path of the part that the rest of the row waits for."""


DEFECTS = (
    Defect(
        "5.6 a",
        "a red, reviewed or approved pull request can never become stuck",
        (
            f"{STATUS}::test_pull_request_that_waits_for_an_idle_agent_becomes_stuck_and_stays_so",
            f"{STATUS}::test_review_that_waits_for_people_is_never_stuck",
        ),
    ),
    Defect(
        "5.6 b",
        "what the agent says never counts beside its pull request",
        (
            f"{STATUS}::test_agents_question_is_seen_whatever_its_pull_request_is",
            f"{AGENT_REQUESTS}::test_report_and_done_are_told_once",
        ),
    ),
    Defect(
        "5.6 c",
        "an old permission prompt beats death",
        (f"{STATUS}::test_dead_agent_is_dead_whatever_it_asked_before",),
    ),
    Defect(
        "5.6 d",
        "a finished agent without a pull request becomes stuck",
        (f"{STATUS}::test_finished_agent_without_pull_request_never_becomes_stuck",),
    ),
    Defect(
        "5.6 side door",
        "listing sessions writes one negative probe down as a death",
        (
            f"{SERVICES}/test_sessions.py::test_looking_up_sessions_changes_none",
            f"{DECIDE}::test_one_negative_look_is_a_doubt_and_several_are_a_death",
            f"{DECIDE}::test_failed_look_is_never_a_death_however_often",
        ),
    ),
    Defect(
        "5.6 manual kill",
        "a person's kill is called a loss and raises an alarm",
        (f"{END}::test_manual_kill_is_called_so_and_raises_no_alarm",),
    ),
    Defect(
        "5.10 restore",
        "a restored agent that cannot resume sits at an empty prompt",
        (
            f"{SETUP}::test_restored_session_has_its_task_again_and_its_saved_work",
            f"{SETUP}::test_restored_agent_is_typed_its_task_unless_it_goes_on_in_its_conversation",
        ),
    ),
    Defect(
        "5.10 restore caller",
        "a restored orchestrator agent is taken for a worker",
        not_built="bot/actions/plan.py",
    ),
    Defect(
        "5.10 send",
        "a message that nobody confirmed counts as sent",
        (f"{SPEAK}::test_what_is_not_confirmed_is_submitted_again_and_then_failed",),
    ),
    Defect(
        "5.10 kill errors",
        "what could not be taken down is forgotten",
        (
            f"{END}::test_clean_up_that_failed_is_tried_again_and_told_once",
            f"{END}::test_clean_up_that_failed_is_tried_again_after_a_restart",
            f"{SERVICES}/test_doctor.py::test_terminal_without_a_session",
        ),
    ),
    Defect(
        "5.10 kill work",
        "uncommitted and unpushed work is removed",
        (
            f"{END}::test_uncommitted_work_is_saved_before_anything_is_removed",
            f"{END}::test_work_that_cannot_be_saved_is_not_removed",
            f"{END}::test_work_that_appears_after_it_was_saved_is_saved_again",
        ),
    ),
    Defect(
        "5.10 merge clean-up",
        "clean-up that waited for a busy agent, or failed, is never done",
        (
            f"{END}::test_merged_session_waits_for_a_busy_agent_and_then_ends",
            f"{END}::test_merged_session_ends_as_soon_as_its_agent_rests_also_after_a_restart",
        ),
    ),
    Defect(
        "5.10 claim",
        "a claim silently takes a pull request from another session",
        (f"{SERVICES}/test_claim.py::test_branch_of_another_session_and_another_branch_are_conflicts",),
    ),
    Defect(
        "6.6.1",
        "review details are announced and never sent",
        (f"{REACT}::test_review_comments_arrive_in_full",),
    ),
    Defect(
        "6.6.2",
        "the count of red heads is lost with every status, so retries never end",
        (
            f"{REACT}::test_count_survives_pending_checks_and_ends_in_an_escalation",
            f"{REACT}::test_green_head_clears_the_count",
        ),
    ),
    Defect(
        "6.6.3",
        "a message that could not be sent is not repeated",
        (
            f"{SPEAK}::test_typing_is_tried_again_only_where_nothing_was_typed",
            f"{REACT}::test_message_that_cannot_arrive_escalates",
        ),
    ),
    Defect(
        "6.6.4",
        "conflicts are neither counted nor escalated",
        (f"{REACT}::test_duration_escalates_without_a_new_trigger",),
    ),
    Defect(
        "6.6.5",
        "notifications drop the rule's message, the link and the state",
        (
            f"{ROUTING}::test_words_of_a_rule_that_notifies_come_with_it",
            f"{ROUTING}::test_notification_carries_what_the_event_says",
            f"{TRANSITIONS}::test_what_a_person_is_to_do_names_the_head",
        ),
    ),
    Defect(
        "6.6.6",
        "an override of one field loses the others",
        (
            f"{SETTINGS}/test_rules_of.py::test_an_override_keeps_every_other_field",
            f"{SETTINGS}/test_rules_of.py::test_the_project_lies_over_the_fleet_field_by_field",
        ),
    ),
    Defect(
        "6.6.7",
        "what was tried is forgotten at a restart, and a second manager sends again",
        (
            f"{FLEET}::test_what_was_tried_survives_a_restart_and_is_not_sent_twice",
            LOCK,
        ),
    ),
    Defect(
        "6.6.8",
        "reactions fire about what is no longer so",
        (f"{REACT}::test_queued_message_is_withdrawn_when_the_checks_turned_green",),
    ),
    Defect(
        "6.6.9",
        "edited comments are not noticed",
        (f"{REACT}::test_edited_comment_is_sent_again",),
    ),
    Defect(
        "6.6.10",
        "an escalation by time needs another trigger",
        (f"{REACT_WORDS}::test_time_escalates_once_in_minutes",),
    ),
    Defect(
        "14.1.1",
        "worktrees with work are removed by stop, kill, clean-up, merge and deleting a project",
        (
            f"{END}::test_uncommitted_work_is_saved_before_anything_is_removed",
            f"{SERVICES}/test_cleanup.py::test_work_is_saved_as_in_every_end",
            f"{SERVICES}/test_projects.py::test_project_with_live_sessions_stays",
            f"{WORKTREE}::test_removing_refuses_while_work_is_not_saved",
        ),
    ),
    Defect(
        "14.1.2",
        "control plane and terminals are open to everybody",
        (
            f"{SERVER}::test_the_socket_is_the_users_alone",
            f"{SERVER}::test_a_process_of_a_session_has_no_verbs_of_people",
            f"{CONSOLE}::test_whoever_is_not_logged_in_sees_nothing",
            f"{CONSOLE}::test_only_a_page_of_ours_changes_anything",
        ),
    ),
    Defect(
        "14.1.3",
        "`auto-merge` does not merge",
        (
            f"{FORGE}::test_auto_merge_merges_when_every_condition_holds",
            f"{FORGE}::test_auto_merge_waits_for_hold_checks_and_a_clean_merge",
        ),
    ),
    Defect(
        "14.1.4",
        "review details are not sent when changes are requested",
        (
            f"{REACT}::test_review_comments_arrive_in_full",
            f"{SERVICES}/test_approve.py::test_changes_take_the_own_approval_back_and_reach_the_agent",
        ),
    ),
    Defect(
        "14.1.5",
        "failing CI: no escalation, no second try, no log lines, never stuck",
        (
            f"{REACT}::test_failing_lines_go_to_the_agent_once_for_each_head",
            f"{REACT}::test_count_survives_pending_checks_and_ends_in_an_escalation",
            f"{STATUS}::test_pull_request_that_waits_for_an_idle_agent_becomes_stuck_and_stays_so",
        ),
    ),
    Defect(
        "14.1.6",
        "an override of a reaction turns it into a notification",
        (f"{SETTINGS}/test_rules_of.py::test_an_override_keeps_every_other_field",),
    ),
    Defect(
        "14.1.7",
        "nobody is told by default; no links, no buttons, errors swallowed, `${ENV}` and keys wrong",
        (
            f"{SETTINGS}/test_effective.py::test_who_is_told",
            f"{SETTINGS}/test_effective.py::test_an_incoming_webhook_means_the_one_way_notifier",
            f"{SETTINGS}/test_environment.py::test_variables_are_put_in_at_any_depth_and_remembered",
            f"{SETTINGS}/test_environment.py::test_a_missing_and_an_empty_variable_are_named",
            f"{ANNOUNCER}::test_failure_that_may_pass_is_tried_again_after_its_delay_and_loses_nothing",
            f"{ANNOUNCER}::test_refusal_is_kept_visible_and_the_next_is_told",
            f"{ROUTING}::test_actions_name_what_a_person_saw",
        ),
    ),
    Defect(
        "14.1.8",
        "deferred clean-up after a merge is never tried again",
        (f"{END}::test_merged_session_waits_for_a_busy_agent_and_then_ends",),
    ),
    Defect(
        "14.1.9",
        "a manual kill raises an urgent alarm and loses its reason",
        (f"{END}::test_manual_kill_is_called_so_and_raises_no_alarm",),
    ),
    Defect("14.1.10", "GitLab sessions never get CI and review states", not_built="plugins/scm/gitlab.py"),
    Defect(
        "14.1.11",
        "bots told by a list, resolved threads unseen, stale cache after a failed query",
        (
            f"{REACT}::test_bots_and_people_have_their_own_reactions",
            f"{ROUNDS}::test_forge_that_cannot_be_seen_changes_no_status",
            f"{GITHUB}/test_reviews.py::test_reviews_without_a_verdict_and_the_conversation_are_remarks_apps_reports_are_not",
            f"{GITHUB}/test_look.py::test_a_thread_that_was_resolved_is_resolved_at_the_next_look",
            f"{GITHUB}/test_look_faults.py::test_an_etag_is_kept_only_with_what_it_stands_for",
        ),
    ),
    Defect(
        "14.1.12",
        "tmux takes a session's name for another's beginning",
        (
            f"{CONTRACTS}/test_runtime_tmux.py::TestTmuxRuntime::test_a_number_that_begins_like_another_is_another",
        ),
    ),
    Defect(
        "14.1.13",
        "the agent's programs are missing, come too late, or write without a lock",
        (
            f"{SETUP}::test_session_gets_workspace_programs_prompt_and_agent",
            "tests/integration/test_agent_programs.py::test_requests_made_at_once_do_not_meet",
        ),
    ),
    Defect(
        "14.1.14",
        "another process decides too, without notifiers, and merges by a bare number",
        (
            LOCK,
            f"{SERVER}::test_merge_needs_the_head_that_was_seen",
            f"{SERVICES}/test_merge.py::test_newer_push_disarms_the_button",
            "tests/browser/test_console.py::test_a_stale_button_says_what_has_changed_and_does_nothing",
        ),
    ),
    Defect(
        "14.1.15",
        "options reach notifiers alone",
        (
            f"{SETTINGS}/test_effective.py::test_options_of_runtime_and_workspace",
            f"{SETTINGS}/test_effective.py::test_which_agent_and_which_options",
            f"{SETTINGS}/test_plugin_check.py::test_options_are_judged_by_the_plugin_with_line_and_nearest",
        ),
    ),
    Defect(
        "14.1.16",
        "one project is looked after in a process",
        (
            f"{ROUNDS}::test_two_projects_share_one_process",
            f"{SERVICES}/test_projects.py::test_added_and_taken_out_while_it_runs",
        ),
    ),
    Defect(
        "14.1.17",
        "a restore gives no task to agents that cannot resume",
        (f"{SETUP}::test_restored_agent_is_typed_its_task_unless_it_goes_on_in_its_conversation",),
    ),
    Defect(
        "14.1.18",
        "wrong flags, costs and permissions of single agents",
        (
            f"{CONTRACTS}/test_agent_claude_code.py::TestPromise::test_what_it_used_is_counted_once",
            f"{CONTRACTS}/test_agent_claude_code.py::TestLeave::test_a_command_runs_only_with_leave",
            "tests/unit/plugins/_shared/test_agent_launch.py::test_nothing_of_ours_passes_that_is_not_listed",
        ),
    ),
    Defect(
        "14.1.19",
        "workspaces that are clones are never deleted",
        (
            f"{CONTRACTS}/test_workspace_clone.py::TestClone::test_removing_is_repeatable",
            f"{CONTRACTS}/test_workspace_clone.py::TestClone::test_removing_refuses_while_work_is_not_saved",
        ),
    ),
    Defect(
        "14.1.20",
        "settings are lost when they are loaded through the registry of projects",
        (
            f"{SETTINGS}/test_shapes.py::test_the_registry_takes_behaviour_from_the_projects_own_file",
            f"{SETTINGS}/test_shapes.py::test_a_flat_file_of_a_registered_project_means_the_whole_fleet",
        ),
    ),
)
