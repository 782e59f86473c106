/* SPDX-License-Identifier: Apache-2.0
 * Starts the recorder: passes argv[0] on (a script can't be a login shell), keeps the user's environment from it, stands
 * by the session, and applies the policy if the interpreter can't start or dies too early. Linked statically, as a
 * dynamic program would run what the user's LD_PRELOAD names; so it asks no name service. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <syslog.h>
#include <termios.h>
#include <unistd.h>

#ifndef PYTHON
#define PYTHON "/usr/bin/python3"
#endif
#ifndef LIBRARY /* folders that hold the packages, separated by colons */
#define LIBRARY "/usr/lib/ttyscribe"
#endif
#ifndef POLICY /* one word, refuse or continue; absent or unreadable is refuse */
#define POLICY "/etc/ttyscribe/on-error"
#endif
#ifndef SHELL /* where the user's own shell is this program */
#define SHELL "/bin/sh"
#endif
#define CODE "import sys;sys.path[:0]=sys.argv.pop(1).split(':')\nfrom ttyscribe_recorder.rec import launched\nlaunched()"
static volatile pid_t recorder;
static void forward(int number) { if (recorder > 0) kill(recorder, number); }

static void die(const char *why) {
    dprintf(2, "ttyscribe: %s; this session is refused (%s says what holds then)\n", why, POLICY);
    exit(1);
}

static void start_recorder(int argc, char **argv, char **env, int ready) {
    char numbers[32], *head[] = {PYTHON, "-I", "-S", "-B", "-c", CODE, LIBRARY, numbers}, **args, *none[] = {NULL};
    int kept = memfd_create("environment", 0); /* not under other names: those would make it too long to be passed */
    if (!(args = calloc(argc + 9, sizeof *args)) || kept < 0) _exit(127);
    for (; *env; env++)
        if (write(kept, *env, strlen(*env) + 1) != (ssize_t)strlen(*env) + 1) _exit(127);
    snprintf(numbers, sizeof numbers, "%d,%d", ready, kept);
    memcpy(args, head, sizeof head);
    memcpy(args + sizeof head / sizeof *head, argv, argc * sizeof *argv);
    fcntl(ready, F_SETFD, 0);
    prctl(PR_SET_PDEATHSIG, SIGHUP);
    execve(PYTHON, args, none);
    _exit(127);
}

static void run_unrecorded(int argc, char **argv) {
    struct passwd *user = NULL;
    for (FILE *all = fopen("/etc/passwd", "re"); all && (user = fgetpwent(all)) && user->pw_uid != getuid();) continue;
    char *shell = user && *user->pw_shell ? user->pw_shell : SHELL, *name;
    if (strstr(shell, "ttyscribe") || strstr(shell, "tlog-rec")) shell = SHELL;
    openlog("ttyscribe", 0, LOG_AUTHPRIV);
    syslog(LOG_ALERT, "the recorder can't start, a session of uid %d runs unrecorded", (int)getuid());
    if (strstr(argv[0], "rec-session") || *argv[0] == '-') {
        name = strrchr(shell, '/') ? strrchr(shell, '/') + 1 : shell;
        if (asprintf(&argv[0], "%s%s", *argv[0] == '-' ? "-" : "", name) >= 0) execv(shell, argv);
    } else if (argc == 1) {
        execl(shell, shell, (char *)NULL);
    } else {
        for (int i = 1; i + 1 < argc; i++)
            if (!strcmp(argv[i], "--")) execvp(argv[i + 1], argv + i + 1);
    }
    die("the recorder can't start, and which command to run without it is not clear");
}

int main(int argc, char **argv, char **env) {
    static const int passed[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGTSTP, SIGCONT};
    int ready[2], status = 0, up, at_terminal;
    struct sigaction action = {.sa_handler = forward, .sa_flags = SA_RESTART}, old;
    struct termios found;
    struct rlimit no_core = {0, 0};
    char byte, policy[16] = "";
    for (int fd = open("/dev/null", O_RDWR); fd >= 0; fd = fd < 3 ? dup(fd) : (close(fd), -1));
    if (argc < 1 || pipe2(ready, O_CLOEXEC)) die("there is no pipe to be had");
    at_terminal = !tcgetattr(0, &found);
    signal(SIGCHLD, SIG_DFL);
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        if (!sigaction(passed[i], NULL, &old) && old.sa_handler != SIG_IGN) sigaction(passed[i], &action, NULL);
    if (!(recorder = fork())) start_recorder(argc, argv, env, ready[1]);
    close(ready[1]);
    up = recorder > 0 && read(ready[0], &byte, 1) == 1;
    while (recorder > 0 && waitpid(recorder, &status, WUNTRACED) == recorder && WIFSTOPPED(status)) raise(SIGSTOP);
    recorder = 0;
    if (up && WIFEXITED(status)) return WEXITSTATUS(status);
    if (up) setrlimit(RLIMIT_CORE, &no_core), signal(WTERMSIG(status), SIG_DFL), raise(WTERMSIG(status)), _exit(1);
    if (at_terminal) tcsetattr(0, TCSANOW, &found);
    int file = open(POLICY, O_RDONLY | O_CLOEXEC);
    if (file >= 0 && read(file, policy, sizeof policy - 1) > 0 && !strcmp(strtok(policy, " \n") ?: "", "continue"))
        run_unrecorded(argc, argv);
    die("the recorder can't start");
}
